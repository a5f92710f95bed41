// What a viewer has chosen, kept in this browser.

const KEY = "cgrx.board";

/** How the page starts. */
const FIRST = {
	asset: /** @type {string | null} */ (null),
	range: 900_000,
	zone: "local",
	theme: "auto",
	keys: true,
	liquidation: 0,
	trade: 0,
	side: "",
	exchange: "",
	symbol: "",
	tell: /** @type {number | null} */ (null),
};

/** @typedef {typeof FIRST} Settings */

/** @returns {Settings} */
export function loaded() {
	const settings = { ...FIRST };
	try {
		const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}");
		for (const name of /** @type {(keyof Settings)[]} */ (Object.keys(FIRST))) {
			const value = kept[name];
			const known = typeof value === typeof FIRST[name];
			const mayBeNull = FIRST[name] === null && ["string", "number"].includes(typeof value);
			if (known || mayBeNull) Object.assign(settings, { [name]: value });
		}
	} catch {
		// Nothing is kept, or nothing that is ours: the page starts as for the first time.
	}
	return settings;
}

/** @param {Settings} settings */
export function keep(settings) {
	try {
		localStorage.setItem(KEY, JSON.stringify(settings));
	} catch {
		// A browser that keeps nothing: the choice holds until the page is left.
	}
}
