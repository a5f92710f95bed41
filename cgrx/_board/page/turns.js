// Drawing in turns: what has changed waits, and a frame draws no more of it than leaves the page smooth.

/** A frame that has drawn for so long begins nothing more: what it has begun takes some milliseconds as well. */
const BEGIN_MS = 2;

/** Draws one part of the page, as all is now. @typedef {() => void} View */

export class Turns {
	/** @param {() => boolean} rests  whether nothing is to be drawn for now */
	constructor(rests) {
		this._rests = rests;
		/** In the order in which they were asked for, so that each has its turn. @type {Set<View>} */
		this._waiting = new Set();
		this._isAsked = false;
	}

	/**
	 * Draw these in the frames that come; what waits already keeps its place.
	 * @param {Iterable<View>} views
	 */
	ask(views = []) {
		for (const view of views) this._waiting.add(view);
		if (this._isAsked || !this._waiting.size || this._rests()) return;
		this._isAsked = true;
		requestAnimationFrame(() => this._draw());
	}

	_draw() {
		this._isAsked = false;
		if (this._rests()) return;
		const began = performance.now();
		for (const view of this._waiting) {
			this._waiting.delete(view);
			view();
			if (performance.now() - began >= BEGIN_MS) break;
		}
		this.ask();
	}
}
