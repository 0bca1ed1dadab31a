/** Keeps a page up to date: follows its events, fetches what has changed, and says when that was. */

import { ago } from "./formats";
import { refreshRegions } from "./regions";

const KINDS = ["job_state", "trial_started", "epoch", "trial_finished", "point"];
const LEAST_PAUSE = 400; // ms between updates; longer where an update itself takes long
const RETRY = 3000; // ms; browsers reconnect by themselves except after some errors
const TICK = 5000; // ms between looks at the clock

interface LiveSetup {
  events: string; // the address of the events after those that the page shows
  every: number; // seconds after which the page looks again, whatever happens
  read_at: string;
  ended: boolean;
}

export interface LiveOptions {
  address?: () => URL; // of what is shown now
  drawn?: (fresh: Document, points: boolean) => Promise<void> | void; // after the server's parts were replaced
}

export class Live {
  private setup = setupOf(document) ?? { events: "", every: 0, read_at: "", ended: true };
  private source: EventSource | undefined;
  private timer: number | undefined;
  private points = false;
  private pause = LEAST_PAUSE;
  private last: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined; // begins when the last has ended
  private connection = "";

  constructor(private readonly options: LiveOptions = {}) {}

  start(): void {
    if (this.setup.ended) return;
    window.setInterval(() => this.tick(), TICK);
    document.addEventListener("visibilitychange", () => this.seen());
    this.connect();
  }

  /** Fetch the page as it is now. */
  refresh(points = false): Promise<void> {
    this.points ||= points;
    this.next ??= this.last.then(() => this.update());
    return (this.last = this.next);
  }

  /** A page that nobody sees holds no connection: browsers keep few to one service. */
  private seen(): void {
    this.source?.close();
    this.source = undefined;
    if (document.hidden || this.setup.ended) return;
    void this.refresh(true);
    this.connect();
  }

  private connect(): void {
    if (document.hidden || this.setup.ended) return;
    const source = (this.source = new EventSource(this.setup.events));
    source.onopen = () => this.show("live");
    source.onerror = () => this.broken(source);
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => {
        const address = new URL(this.setup.events, location.href);
        address.searchParams.set("after", event.lastEventId);
        this.setup.events = address.href;
        this.soon(kind === "point");
      });
    }
  }

  private broken(source: EventSource): void {
    this.show("reconnecting");
    if (source.readyState !== EventSource.CLOSED) return;
    source.close();
    void this.refresh(true).then(() => {
      window.setTimeout(() => source === this.source && this.connect(), RETRY);
    });
  }

  /** Many events, few updates: one runs at a time, and one more follows when events came meanwhile. */
  private soon(points: boolean): void {
    this.points ||= points;
    this.timer ??= window.setTimeout(() => void this.refresh(), this.pause);
  }

  private async update(): Promise<void> {
    window.clearTimeout(this.timer);
    this.timer = this.next = undefined;
    const points = this.points;
    this.points = false;
    const begun = performance.now();
    try {
      const fresh = await refreshRegions(this.options.address?.() ?? new URL(location.href));
      const { read_at, ended } = setupOf(fresh) ?? this.setup;
      this.setup = { ...this.setup, read_at, ended };
      await this.options.drawn?.(fresh, points);
    } catch {
      this.points ||= points; // the service may be away for a moment; the next event or look tries again
    }
    this.pause = Math.max(LEAST_PAUSE, 3 * (performance.now() - begun));
    if (this.setup.ended) this.source?.close();
    this.tell();
  }

  private tick(): void {
    this.tell();
    const age = Date.now() - new Date(this.setup.read_at).getTime();
    if (!document.hidden && !this.setup.ended && age > 1000 * this.setup.every) void this.refresh();
  }

  private show(connection: string): void {
    this.connection = connection;
    this.tell();
  }

  private tell(): void {
    const { ended, read_at } = this.setup;
    for (const [id, text] of [["updated", ago(new Date(read_at), new Date())], ["connection", ended ? "" : this.connection]] as const) {
      const shown = document.getElementById(id);
      if (shown) shown.textContent = text;
    }
  }
}

function setupOf(page: Document): LiveSetup | null {
  return JSON.parse(page.getElementById("live")?.textContent ?? "null") as LiveSetup | null;
}
