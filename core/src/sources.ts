import type { Endpoint } from './endpoint.js';

/** Stops following. */
export type StopFollowing = () => void;

/** What stands behind endpoints of one scheme, when that changes while the program runs: names in the DNS, a registry. */
export interface EndpointSource {
  /**
   * Returns what stands for the endpoint until more is known. At least one.
   *
   * @throws ConnectorError `MCPC_USAGE` naming what is wrong and what to type instead
   */
  begin(endpoint: Endpoint): readonly Endpoint[];
  /** Tells what stands for the endpoint whenever that has changed, never nothing, until the returned function is called. */
  follow(endpoint: Endpoint, onchange: (endpoints: readonly Endpoint[]) => void): StopFollowing;
}

/** What sources are followed with. */
export interface SourcesOptions {
  /** The source of a scheme, where it has one. */
  of(scheme: string): EndpointSource | undefined;
  /** Takes all endpoints that are meant, as often as they change. */
  onchange(endpoints: readonly Endpoint[]): void;
}

interface Followed {
  endpoints: readonly Endpoint[];
  readonly stop: StopFollowing;
}

/** Follows what named endpoints stand for. */
export class Sources {
  readonly #options: SourcesOptions;
  readonly #followed = new Map<string, Followed>();
  #named: readonly Endpoint[] = [];

  constructor(options: SourcesOptions) {
    this.#options = options;
  }

  /** Goes on with these named endpoints, and tells what they stand for. */
  name(named: readonly Endpoint[]): void {
    this.#named = named;
    const kept = new Set(named.map(keyOf));
    for (const [key, { stop }] of this.#followed) {
      if (kept.has(key)) continue;
      stop();
      this.#followed.delete(key);
    }
    for (const endpoint of named) this.#begin(endpoint);
    this.#tell();
  }

  /** Stops following anything. */
  close(): void {
    for (const { stop } of this.#followed.values()) stop();
    this.#followed.clear();
  }

  #begin(endpoint: Endpoint): void {
    const source = this.#options.of(endpoint.scheme);
    const key = keyOf(endpoint);
    if (source === undefined || this.#followed.has(key)) return;
    const onchange = (endpoints: readonly Endpoint[]): void => {
      followed.endpoints = endpoints;
      this.#tell();
    };
    const followed: Followed = {
      endpoints: source.begin(endpoint),
      stop: source.follow(endpoint, onchange),
    };
    this.#followed.set(key, followed);
  }

  #tell(): void {
    const meant = this.#named.flatMap(
      (endpoint) => this.#followed.get(keyOf(endpoint))?.endpoints ?? [endpoint],
    );
    this.#options.onchange(meant);
  }
}

function keyOf({ scheme, address }: Endpoint): string {
  return `${scheme} ${address}`;
}
