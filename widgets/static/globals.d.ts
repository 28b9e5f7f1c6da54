/** The box's style sheet, put in by embed.py. */
declare const BOX_CSS: string;
