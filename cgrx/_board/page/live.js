// The WebSocket to the board: Hello, then what comes; after a close again, with growing delays.

const FIRST_MS = 500;
const LONGEST_MS = 15_000;
const SEEN_MS = 10_000;
const VERSION = 1;
const POLICY = 1008;

/**
 * The token behind `#`, which leaves the address at once and is kept for this tab alone.
 * @returns {string | null}
 */
function token() {
	const found = /(?:^#|&)token=([^&]+)/.exec(location.hash);
	if (found) {
		sessionStorage.setItem("cgrx.token", decodeURIComponent(found[1] ?? ""));
		history.replaceState(null, "", location.pathname + location.search);
	}
	return sessionStorage.getItem("cgrx.token");
}

/** Load a page of an older program anew, but not for ever. */
function reload() {
	const last = Number(sessionStorage.getItem("cgrx.reloaded") ?? 0);
	if (Date.now() - last < 60_000) return;
	sessionStorage.setItem("cgrx.reloaded", String(Date.now()));
	location.reload();
}

/**
 * @typedef {object} Ears
 * @property {(message: Msg.Snapshot | Msg.Update | Msg.Refused) => void} said
 * @property {(reason: string, retryMs: number | null) => void} lost
 * @property {() => string | null} asset
 */

/** A conversation that begins anew after each close. */
export class Live {
	/** @param {Ears} ears */
	constructor(ears) {
		this._ears = ears;
		this._token = token();
		this._delay = FIRST_MS;
		/** @type {WebSocket | null} */
		this._socket = null;
		setInterval(() => this.send({ kind: "seen" }), SEEN_MS);
		window.addEventListener("online", () => this._again());
		/** @type {ReturnType<typeof setTimeout> | undefined} */
		this._timer = undefined;
		this._open();
	}

	/** @param {Msg.Pick | Msg.Play | Msg.Seen} message */
	send(message) {
		if (this._socket?.readyState === WebSocket.OPEN) this._socket.send(JSON.stringify(message));
	}

	_again() {
		clearTimeout(this._timer);
		if (!this._socket) this._open();
	}

	_open() {
		const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live`);
		this._socket = socket;
		socket.onopen = () =>
			socket.send(JSON.stringify({ kind: "hello", version: VERSION, token: this._token, asset: this._ears.asset() }));
		socket.onmessage = (event) => {
			const message = JSON.parse(event.data);
			if (message.kind === "snapshot") {
				this._delay = FIRST_MS;
				if (message.version !== VERSION) return reload();
			}
			this._ears.said(message);
		};
		socket.onclose = (event) => {
			this._socket = null;
			if (event.code === POLICY && event.reason.includes("version")) reload();
			if (event.code === POLICY) return this._ears.lost(event.reason, null);
			const wait = this._delay * (0.8 + 0.4 * Math.random());
			this._delay = Math.min(2 * this._delay, LONGEST_MS);
			this._timer = setTimeout(() => this._open(), wait);
			this._ears.lost(event.reason, wait);
		};
	}
}
