// Numbers and times as people read them.

const UNITS = /** @type {const} */ ([
	[1e12, "T"],
	[1e9, "B"],
	[1e6, "M"],
	[1e3, "k"],
]);
const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const EXACT = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });
/** How many digits there are from which price on. The formats are made once: that takes far longer than to use one. */
const PRICES = [
	{ from: 1e3, digits: 2 },
	{ from: 1, digits: 4 },
	{ from: 1e-3, digits: 6 },
	{ from: -Infinity, digits: 10 },
].map(({ from, digits }) => ({
	from,
	format: new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }),
}));

/**
 * A volume in short: 1.2M.
 * @param {number} value
 */
export function compact(value) {
	const size = Math.abs(value);
	for (const [unit, name] of UNITS) {
		// What would be written as 1000k is 1M.
		if (size >= unit * 0.9995) {
			const scaled = value / unit;
			return scaled.toFixed(Math.abs(scaled) < 99.95 ? 1 : 0) + name;
		}
	}
	return size < 10 && size % 1 ? value.toFixed(1) : value.toFixed(0);
}

/** @param {number} value */
export const signed = (value) => (value > 0 ? "+" : "") + compact(value);

/** @param {number} value */
export const exact = (value) => EXACT.format(value);

/** @param {number} value */
export const whole = (value) => WHOLE.format(value);

/**
 * As many digits as tell prices of this size apart.
 * @param {number} value
 */
export const price = (value) => (PRICES.find(({ from }) => value >= from)?.format ?? EXACT).format(value);

/**
 * @param {number} ms
 */
export function duration(ms) {
	if (ms < 1000) return `${Math.round(ms)} ms`;
	if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
	const minutes = Math.round(ms / 60_000);
	return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Times of day and dates in one zone. */
export class Clock {
	/** @param {boolean} utc */
	constructor(utc) {
		const timeZone = utc ? "UTC" : undefined;
		this.utc = utc;
		this._time = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone });
		this._day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone });
		this.zone = utc ? "UTC" : Intl.DateTimeFormat().resolvedOptions().timeZone;
	}

	/** @param {number} ms */
	time(ms) {
		return this._time.format(ms);
	}

	/** @param {number} ms */
	full(ms) {
		return `${this._day.format(ms)}, ${this._time.format(ms)}`;
	}
}

/**
 * A number as people write it: 250000, 250k or 1.2M. Nothing gives `empty`; what is no number gives null.
 * @param {string} text
 * @param {number} empty
 * @returns {number | null}
 */
export function parse(text, empty) {
	const plain = text.replaceAll(/[\s,_]/g, "").toLowerCase();
	if (!plain) return empty;
	const found = /^(\d+(?:\.\d+)?|\.\d+)([kmb]?)$/.exec(plain);
	if (!found) return null;
	return Number(found[1]) * { "": 1, k: 1e3, m: 1e6, b: 1e9 }[/** @type {"" | "k" | "m" | "b"} */ (found[2])];
}
