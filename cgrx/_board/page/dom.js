// The document, which text enters as text alone.

/**
 * The element of this id.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function byId(id, kind) {
	const found = document.getElementById(id);
	if (!(found instanceof kind)) throw new Error(`no ${kind.name} with the id ${id}`);
	return found;
}

/**
 * A new element with text or other elements in it.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string>} attributes
 * @param {...(string | Node)} content
 */
export function make(tag, attributes = {}, ...content) {
	const made = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
	made.append(...content);
	return made;
}

/**
 * Write only what differs, so that nothing is laid out in vain.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
	if (element.textContent !== text) element.textContent = text;
}

/** An element for text of others: it keeps its own direction and takes no more room than it has. */
export const foreign = () => make("bdi", { class: "foreign" });

/**
 * @param {HTMLElement} element  made by `foreign`
 * @param {string} text
 */
export function setForeign(element, text) {
	setText(element, text.slice(0, 200));
	element.title = text.slice(0, 200);
}
