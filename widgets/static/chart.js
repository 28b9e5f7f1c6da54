/**
 * What a chart does once it is there: values under a crosshair for pointer, finger and keys, and a last point that
 * moves with the price. The drawing and every text come from the server; a number here is a place on the picture.
 */

/** Where readers are: that survives markup that is renewed. @type {WeakMap<Element, [step: number, moment: number]>} */
const held = new WeakMap();
/** When a chart may be drawn anew: an answer may come out of a cache, as old as the one before. @type {WeakMap<Element, number>} */
const rest = new WeakMap();

const HEIGHT = 1000;
const DAY = 86400;
const KEYS = /** @type {Record<string, number>} */ ({
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -10,
  PageUp: 10,
  Home: -Infinity,
  End: Infinity,
});

/**
 * @param {HTMLElement} wrapper
 * @returns {() => void} ends it
 */
export default (wrapper) => {
  const life = new AbortController();
  const end = () => life.abort();
  const plot = /** @type {HTMLElement | null} */ (wrapper.querySelector("[data-plot]"));
  if (!plot) return end;

  /** @param {string} name */
  const part = (name) => /** @type {SVGPathElement | null} */ (plot.querySelector(`.${name}`));
  /** @param {string} name @param {string} path */
  const draw = (name, path) => part(name)?.setAttribute("d", path);
  const cells = /** @type {NodeListOf<HTMLElement>} */ (wrapper.querySelectorAll("[data-cell]"));
  const { plot: places = "", series = "", unit, last: candle } = plot.dataset;
  const [start, step, slots, low, high] = places.split(" ").map(Number);
  /** Of each value its texts, empty where nothing is known. The last value is the close. */
  const columns = series.split("~").map((column) => column.split("|"));
  const closes = columns[columns.length - 1];
  const known = [...closes.keys()].filter((at) => closes[at]);
  const newest = known[known.length - 1];
  const line = part("line")?.getAttribute("d");
  /** @type {number[]} how far down the line is */
  const heights = [];
  /** Where the line ends; candles need no such place. */
  let tip = slots;
  /** @type {number | undefined} the slot that is read */
  let at;

  /** Where a slot has its value: at its end, or in the middle of its candle. @param {number} slot */
  const across = (slot) => (line ? (slot === newest ? tip : slot + 1) : slot + 0.5);

  /** @type {Intl.DateTimeFormat | undefined} made when it is first needed, since that takes a browser long */
  let date;
  /** @param {number} moment */
  const dated = (moment) =>
    (date ??= new Intl.DateTimeFormat(wrapper.lang, {
      dateStyle: "medium",
      timeStyle: step < DAY ? "short" : undefined,
      hourCycle: "h23",
      timeZone: "UTC",
      calendar: "gregory",
    })).format(moment * 1000);
  /** A line's moment is that of its close; a candle's, and a day's, is its beginning. @param {number} slot */
  const moment = (slot) => start + step * (line && step < DAY ? across(slot) : slot);

  /** @param {number} slot */
  const values = (slot) => [
    dated(moment(slot)) + (step < DAY ? " UTC" : ""),
    ...columns.map((column) => column[slot]),
  ];

  const show = () => {
    wrapper.toggleAttribute("data-reading", at !== undefined);
    const x = at === undefined ? 0 : across(at);
    draw("hair", at === undefined ? "" : `M${x} 0V${HEIGHT}`);
    draw("spot", at === undefined || !line ? "" : `M${x} ${heights[at]}h0`);
    if (at !== undefined) values(at).forEach((text, index) => (cells[index].textContent = text));
  };

  /** @param {number} slot */
  const say = (slot) => {
    plot.ariaValueNow = `${slot}`;
    plot.ariaValueText = values(slot)
      .map((text, index) => `${cells[index].dataset.cell} ${text}`)
      .join(", ");
  };

  /** @param {number} slot */
  const read = (slot) => {
    at = slot;
    held.set(plot, [step, start + step * slot]);
    show();
    say(slot);
  };

  const leave = () => {
    at = undefined;
    held.delete(plot);
    show();
  };

  /** @type {<K extends keyof HTMLElementEventMap>(types: K[], listener: (event: HTMLElementEventMap[K]) => void) => void} */
  const on = (types, listener) => {
    for (const type of types) plot.addEventListener(type, listener, { signal: life.signal });
  };

  if (newest === undefined) return end;
  if (line) {
    let [x, y, count] = [0, 0, 0];
    for (const [, command, said] of line.matchAll(/([MlL])([^MlL]+)/g)) {
      const numbers = (said.match(/-?[\d.]+/g) ?? []).map(Number);
      for (let index = 0; index < numbers.length; index += 2) {
        const relative = command === "l" ? 1 : 0;
        x = x * relative + numbers[index];
        y = y * relative + numbers[index + 1];
        if (command !== "M") heights[known[count++]] = y;
      }
    }
    tip = x;
  }
  plot.role = "slider";
  plot.ariaValueMin = "0";
  plot.ariaValueMax = `${newest}`;
  const [was, when] = held.get(plot) ?? [];
  const again = was === step ? known.indexOf(Math.round(((when ?? 0) - start) / step)) : -1;
  if (again >= 0) read(known[again]);
  else {
    leave();
    plot.ariaValueNow = `${newest}`;
  }

  on(["pointermove", "pointerdown"], ({ clientX }) => {
    const { left, width } = /** @type {Element} */ (plot.firstElementChild).getBoundingClientRect();
    const x = ((clientX - left) / width) * slots;
    read(known.reduce((best, slot) => (Math.abs(across(slot) - x) < Math.abs(across(best) - x) ? slot : best)));
  });
  // A finger's values stay when it is lifted, and go when it scrolls the page instead.
  on(["pointerleave"], ({ pointerType }) => pointerType === "mouse" && leave());
  on(["pointercancel", "blur"], leave);
  on(["focus"], () => say(at ?? newest));
  on(["keydown"], (event) => {
    const way = KEYS[event.key];
    if (way) {
      const now = at === undefined ? known.length - (way < 0 ? 1 : 0) : known.indexOf(at);
      read(known[Math.max(0, Math.min(known.length - 1, now + way))]);
    } else if (event.key === "Escape" && at !== undefined) leave();
    else return;
    event.preventDefault();
  });

  /** @type {number[]} what the candle that goes on has been: open, high, low */
  const been = candle?.split(" ").map(Number) ?? [];
  wrapper.addEventListener(
    "update",
    (event) => {
      /** @type {{ quote: import("./types.d.ts").Values }} */
      const { quote } = /** @type {CustomEvent} */ (event).detail;
      if (quote.currency !== unit || !quote.price || !quote.as_of) return;
      const price = +quote.price;
      const x = Math.round(((quote.as_of / 1000 - start) / step) * 10) / 10;
      /** @param {number} value */
      const down = (value) => Math.round((HEIGHT * (high - value)) / (high - low));
      // A line is not drawn over a time without prices, nor a price off its axis: the server draws anew.
      if (x - newest > 2 || price > high || price < low) {
        const time = performance.now();
        if (time < (rest.get(wrapper) ?? 0)) return;
        rest.set(wrapper, time + 10000);
        return void wrapper.dispatchEvent(new Event("renew"));
      }
      const y = down(price);
      const shown = wrapper.querySelector("[data-f=price]");
      const text = (shown?.querySelector(".vh") ?? shown)?.textContent ?? "";
      closes[newest] = text;
      if (line) {
        tip = Math.max(newest, Math.min(x, slots));
        heights[newest] = y;
        const path = line.replace(/L[^L]*$/, `L${tip} ${y}`);
        draw("line", path);
        draw("area", path.replace(/M([\d.]+)[^M]*/g, `$&V${HEIGHT}H$1z`));
        draw("tip", `M${tip} ${y}h0`);
      } else {
        if (price > been[1]) [been[1], columns[1][newest]] = [price, text];
        if (price < been[2]) [been[2], columns[2][newest]] = [price, text];
        const [open, top, bottom] = been.map(down);
        const [above, below] = [Math.min(open, y), Math.max(open, y)];
        const [x, body] = [newest + 0.5, newest + 0.2];
        draw("last", `M${x} ${top}V${above}M${x} ${below}V${bottom}M${body} ${above}h.6V${below}h-.6z`);
        part("last")?.classList.toggle("fell", y > open);
      }
      show();
    },
    { signal: life.signal },
  );
  return end;
};
