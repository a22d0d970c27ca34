import {
  reasonOf,
  type ConnectorError,
  type Credentials,
  type Envelope,
  type RequestId,
} from '@mcp-connect/core';
import type { DirectionContext } from './direction.js';
import { ServerError, type LegacySession, type Opened } from './legacy-session.js';
import { notificationOf, paramsOf } from './messages.js';
import { membersOf, type ModernRequest } from './modern-request.js';
import { SUBSCRIPTION_KEY } from './modern.js';

type Members = Readonly<Record<string, unknown>>;

/** Lists that can change: the member of a filter that asks for news of each, and what the news is called. */
const LISTS = [
  { capability: 'tools', member: 'toolsListChanged' },
  { capability: 'prompts', member: 'promptsListChanged' },
  { capability: 'resources', member: 'resourcesListChanged' },
] as const;

const UPDATED = 'notifications/resources/updated';

/** A request for news that is open (2026-07-28 patterns/subscriptions). */
interface Listener {
  readonly request: ModernRequest;
  /** The lists of whose changes it hears. */
  readonly lists: Set<string>;
  readonly uris: Set<string>;
  /** What happened before the stream was acknowledged, each thing once; undefined from then on. */
  early: Map<string, Envelope> | undefined;
}

/**
 * Feeds the streams of news that a modern client has opened from what a legacy server tells everybody. A resource is
 * subscribed to for as long as any stream wants to hear of it.
 */
export class Subscriptions {
  readonly #context: DirectionContext;
  readonly #session: LegacySession;
  readonly #listeners = new Map<RequestId, Listener>();
  /** How many streams want to hear of a resource, and whether the server lets it be heard of. */
  readonly #resources = new Map<string, { count: number; readonly subscribed: Promise<boolean> }>();

  constructor(context: DirectionContext, session: LegacySession) {
    this.#context = context;
    this.#session = session;
  }

  /** True for messages of a server that only those get who asked for news of this kind. */
  static areNews({ method }: Envelope): boolean {
    return method === UPDATED || LISTS.some(({ capability }) => method === changed(capability));
  }

  /** Opens a stream of news, and acknowledges what of it the server can tell. */
  async open(request: ModernRequest, credentials: Credentials): Promise<void> {
    const key = request.envelope.key!;
    const listener: Listener = { request, lists: new Set(), uris: new Set(), early: new Map() };
    this.#listeners.set(key, listener);
    try {
      const opened = await this.#session.ready(request, credentials);
      const filter = membersOf(request.params['notifications']);
      this.#chooseLists(listener, filter, opened);
      await this.#chooseResources(listener, filter, opened);
    } catch (error) {
      this.close(key);
      throw error;
    }
    if (this.#listeners.get(key) !== listener) return;
    await this.#acknowledge(listener);
  }

  /** Ends a stream of news. Returns false where there is none under this key. */
  close(key: RequestId | undefined): boolean {
    const listener = key === undefined ? undefined : this.#listeners.get(key);
    if (listener === undefined) return false;
    this.#listeners.delete(key!);
    for (const uri of listener.uris) this.#release(uri);
    return true;
  }

  /** Tells that no stream brings news any more: each is opened anew in its own time. */
  lose(error: ConnectorError): void {
    for (const key of this.#listeners.keys()) {
      this.close(key);
      this.#context.client.onlost(key, error);
    }
  }

  /** Passes news of the server on to those who asked for it. */
  relay(envelope: Envelope): void | Promise<void> {
    let wait: void | Promise<void> = undefined;
    for (const listener of this.#listeners.values()) wait = this.#tell(listener, envelope) ?? wait;
    return wait;
  }

  /** Tells all who listen to look again: anything may have happened in the meantime. */
  missed(): void {
    for (const { capability } of LISTS) void this.relay(notificationOf(changed(capability)));
    for (const listener of this.#listeners.values()) {
      for (const uri of listener.uris) void this.#tell(listener, notificationOf(UPDATED, { uri }));
    }
  }

  /** Subscribes to all resources in a new session. */
  async restore(): Promise<void> {
    await Promise.all([...this.#resources.keys()].map((uri) => this.#subscribe(uri)));
  }

  #chooseLists({ lists }: Listener, filter: Members, { capabilities }: Opened): void {
    for (const { capability, member } of LISTS) {
      const told = membersOf(capabilities[capability])['listChanged'] === true;
      if (told && filter[member] === true) lists.add(changed(capability));
    }
  }

  async #chooseResources({ uris }: Listener, filter: Members, { capabilities }: Opened): Promise<void> {
    const wanted = filter['resourceSubscriptions'];
    if (!Array.isArray(wanted) || membersOf(capabilities['resources'])['subscribe'] !== true) return;
    const texts = wanted.filter((uri): uri is string => typeof uri === 'string');
    await Promise.all(
      [...new Set(texts)].map(async (uri) => {
        uris.add(uri);
        if (await this.#hold(uri)) return;
        uris.delete(uri);
        this.#release(uri);
      }),
    );
  }

  async #acknowledge(listener: Listener): Promise<void> {
    const { request, lists, uris, early } = listener;
    const filter = LISTS.filter(({ capability }) => lists.has(changed(capability)));
    const notifications = {
      ...Object.fromEntries(filter.map(({ member }) => [member, true])),
      ...(uris.size > 0 && { resourceSubscriptions: [...uris] }),
    };
    const taken = this.#context.client.onmessage(
      news('notifications/subscriptions/acknowledged', { notifications }, request),
    );
    listener.early = undefined;
    for (const envelope of early?.values() ?? []) void this.#tell(listener, envelope);
    await taken;
  }

  /** Passes news on to one stream, if that asked for it; nothing comes before the acknowledgement. */
  #tell({ request, lists, uris, early }: Listener, envelope: Envelope): void | Promise<void> {
    const { method } = envelope;
    const params = paramsOf(envelope);
    const uri = method === UPDATED ? String(params['uri']) : undefined;
    const wanted = uri === undefined ? lists.has(method!) : [...uris].some((each) => isWithin(uri, each));
    if (!wanted) return undefined;
    if (early === undefined) return this.#context.client.onmessage(news(method!, params, request));
    early.set(`${method} ${uri}`, envelope);
    return undefined;
  }

  #hold(uri: string): Promise<boolean> {
    const known = this.#resources.get(uri);
    const resource = known ?? { count: 0, subscribed: this.#subscribe(uri) };
    resource.count++;
    this.#resources.set(uri, resource);
    return resource.subscribed;
  }

  #release(uri: string): void {
    const resource = this.#resources.get(uri);
    if (resource === undefined || --resource.count > 0) return;
    this.#resources.delete(uri);
    void this.#unsubscribe(uri, resource.subscribed).catch((error: unknown) => {
      this.#context.client.log.debug?.('%s may still be subscribed to: %s', uri, reasonOf(error));
    });
  }

  async #unsubscribe(uri: string, subscribed: Promise<boolean>): Promise<void> {
    if (!(await subscribed) || this.#resources.has(uri)) return;
    await this.#session.ask('resources/unsubscribe', { uri });
  }

  /** Returns whether the server tells of this resource from now on; one that it does not know is no failure. */
  async #subscribe(uri: string): Promise<boolean> {
    try {
      await this.#session.ask('resources/subscribe', { uri });
      return true;
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      this.#context.client.log.debug?.('%s cannot be subscribed to: %s', uri, error.message);
      return false;
    }
  }
}

function changed(list: string): string {
  return `notifications/${list}/list_changed`;
}

function news(method: string, params: Members, { envelope }: ModernRequest): Envelope {
  const _meta = { ...membersOf(params['_meta']), [SUBSCRIPTION_KEY]: envelope.id };
  return notificationOf(method, { ...params, _meta });
}

/** An update may name a part of the resource that was subscribed to (2026-07-28 schema, ResourceUpdatedNotification). */
function isWithin(uri: string, resource: string): boolean {
  if (uri === resource) return true;
  return uri.startsWith(resource.endsWith('/') ? resource : `${resource}/`);
}
