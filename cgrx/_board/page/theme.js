// Colours of the style sheet, as the canvas needs them.

const NAMES = /** @type {const} */ ([
	"ink",
	"muted",
	"line",
	"panel",
	"long",
	"short",
	"price",
	"complete",
	"running",
	"incomplete",
	"gap",
	"unknown",
]);

/** @typedef {Record<typeof NAMES[number], string>} Colours */

/**
 * As they are now: light or dark.
 * @returns {Colours}
 */
export function colours() {
	const probe = document.createElement("i");
	document.body.append(probe);
	const found = /** @type {Colours} */ ({});
	for (const name of NAMES) {
		probe.style.color = `var(--${name})`;
		found[name] = getComputedStyle(probe).color;
	}
	probe.remove();
	return found;
}

/** @param {string} theme */
export function wear(theme) {
	document.documentElement.dataset.theme = theme;
}
