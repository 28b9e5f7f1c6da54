/** The sheet that every widget has, put in by docs/bundle.py. */
declare const BOX_CSS: string;
