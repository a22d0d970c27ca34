import { ConnectorError } from '@mcp-connect/core';

/** What the flags say. */
export interface Rules {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  /** Pairs of the form `OLD=NEW`. */
  readonly rename: readonly string[];
}

/** Knows each tool by two names: the one that the server gives it, and the one that the client sees. */
export class ToolNames {
  readonly #allow: readonly RegExp[];
  readonly #deny: readonly RegExp[];
  readonly #shown = new Map<string, string>();
  readonly #hidden = new Map<string, string>();

  /** @throws ConnectorError `MCPC_USAGE` when a pair is none, or a name is given twice */
  constructor({ allow, deny, rename }: Rules) {
    this.#allow = (allow.length === 0 ? ['*'] : allow).map(patternOf);
    this.#deny = deny.map(patternOf);
    for (const pair of rename) this.#rename(pair);
  }

  /** The name under which the client sees a tool of the server; undefined for one that is hidden. */
  shownName(name: string): string | undefined {
    if (!matches(this.#allow, name) || matches(this.#deny, name)) return undefined;
    const shown = this.#shown.get(name);
    // A tool that has the new name of another one by itself could not be told from it.
    return shown ?? (this.#hidden.has(name) ? undefined : name);
  }

  /** The name that the server gives a tool which the client sees; undefined where the client sees none. */
  hiddenName(shown: string): string | undefined {
    const name = this.#hidden.get(shown) ?? shown;
    return this.shownName(name) === shown ? name : undefined;
  }

  #rename(pair: string): void {
    const [, name, shown] = /^([^=]+)=([^=]+)$/.exec(pair) ?? [];
    if (name === undefined || shown === undefined) {
      throw new ConnectorError('MCPC_USAGE', `--tools-rename ${pair} is no pair of names.`, {
        hint: 'Give the name of the server, an equals sign and the new name: --tools-rename search=find',
      });
    }
    if (this.#shown.has(name) || this.#hidden.has(shown)) {
      throw new ConnectorError('MCPC_USAGE', `--tools-rename ${pair} uses a name a second time.`, {
        hint: 'Rename each tool once, and to a name of its own',
      });
    }
    this.#shown.set(name, shown);
    this.#hidden.set(shown, name);
  }
}

/** A glob as a pattern: `*` stands for any text and `?` for any one character. */
function patternOf(glob: string): RegExp {
  const text = glob.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${text.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's');
}

function matches(patterns: readonly RegExp[], name: string): boolean {
  return patterns.some((pattern) => pattern.test(name));
}
