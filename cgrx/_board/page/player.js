// The controls of a replay.

import { byId, make, setText } from "./dom.js";

const SPEEDS = [0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1000];

export class Player {
	/** @param {(play: Msg.Play) => void} play */
	constructor(play) {
		this._play = play;
		this._root = byId("player", HTMLElement);
		this._button = byId("play", HTMLButtonElement);
		this._time = byId("time", HTMLInputElement);
		this._speed = byId("speed", HTMLSelectElement);
		this._now = byId("now", HTMLOutputElement);
		this._from = byId("from", HTMLElement);
		this._until = byId("until", HTMLElement);
		/** @type {Msg.Replayed | null} */
		this._replay = null;
		this._dragged = false;
		/** @type {import("./format.js").Clock | null} */
		this._clock = null;
		this._button.addEventListener("click", () => this.toggle());
		this._speed.addEventListener("change", () => this._say({ speed: Number(this._speed.value) }));
		this._time.addEventListener("input", () => {
			this._dragged = true;
			this._tell(Number(this._time.value));
		});
		this._time.addEventListener("change", () => {
			this._dragged = false;
			this._say({ time: Number(this._time.value) });
		});
	}

	get isThere() {
		return this._replay !== null;
	}

	toggle() {
		if (this._replay) this._say({ paused: !this._replay.paused });
	}

	/** @param {Partial<Msg.Play>} play */
	_say(play) {
		this._play({ kind: "play", paused: null, speed: null, time: null, ...play });
	}

	/**
	 * @param {Msg.Replayed | null} replay
	 * @param {import("./format.js").Clock} clock
	 */
	draw(replay, clock) {
		const first = !this._replay || this._clock !== clock;
		this._replay = replay;
		this._clock = clock;
		this._root.hidden = !replay;
		if (!replay) return;
		setText(this._button, replay.over ? "At the end" : replay.paused ? "Play" : "Pause");
		this._button.disabled = replay.over;
		if (first) {
			this._time.min = String(replay.start);
			this._time.max = String(replay.end);
			this._time.step = String(Math.max(1, Math.min(1000, Math.floor((replay.end - replay.start) / 1000))));
			setText(this._from, clock.time(replay.start));
			setText(this._until, clock.time(replay.end));
		}
		if (!this._dragged) {
			this._time.value = String(replay.now);
			this._tell(replay.now);
		}
		if (document.activeElement !== this._speed) this._offer(replay.speed);
	}

	/** @param {number} time */
	_tell(time) {
		const text = this._clock?.full(time) ?? "";
		setText(this._now, text);
		this._time.setAttribute("aria-valuetext", text);
	}

	/** @param {number | null} speed */
	_offer(speed) {
		const wanted = speed === null ? "" : String(speed);
		if (this._speed.options.length && this._speed.value === wanted) return;
		const speeds = [...new Set([...SPEEDS, ...(speed === null ? [] : [speed])])].sort((a, b) => a - b);
		this._speed.replaceChildren(...speeds.map((each) => make("option", { value: String(each) }, `${each}×`)));
		if (speed === null) this._speed.append(make("option", { value: "", disabled: "" }, "as fast as possible"));
		this._speed.value = wanted;
	}
}
