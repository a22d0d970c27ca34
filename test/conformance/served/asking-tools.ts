import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  inputResponse,
  type CallToolResult,
  type ElicitRequestFormParams,
  type InputRequest,
  type InputRequiredResult,
  type McpServer,
  type RequestStateCodec,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { said } from './plain-tools.js';

/** Seals the state of a call that asks in between. */
export type Seal = RequestStateCodec<Record<string, unknown>>;

type Request = ServerContext['mcpReq'];
type Result = CallToolResult | InputRequiredResult;
type Schema = ElicitRequestFormParams['requestedSchema'];

/** Something that a call asks of the client, under a name. */
export interface Question {
  readonly name: string;
  readonly request: InputRequest;
  /** Returns what came back, as a text; undefined where nothing did that will do. */
  answer(request: Request): string | undefined;
}

const DEFAULTS: Schema['properties'] = {
  name: { type: 'string', default: 'John Doe' },
  age: { type: 'integer', default: 30 },
  score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', default: true },
};

const TITLED = ['value1', 'value2', 'value3'].map((value) => ({ const: value, title: `Title of ${value}` }));
const OPTIONS = ['option1', 'option2', 'option3'];
const ENUMS: Schema['properties'] = {
  untitledSingle: { type: 'string', enum: OPTIONS },
  titledSingle: { type: 'string', oneOf: TITLED },
  legacyEnum: { type: 'string', enum: OPTIONS, enumNames: ['Option One', 'Option Two', 'Option Three'] },
  untitledMulti: { type: 'array', minItems: 1, maxItems: 3, items: { type: 'string', enum: OPTIONS } },
  titledMulti: { type: 'array', minItems: 1, maxItems: 3, items: { anyOf: TITLED } },
};

/** What a prompt asks before it is complete. */
export const CONTEXT = form('user_context', 'context');

const NAME = form('user_name', 'name');
const GREETING = sampling('greeting', 'Generate a greeting');
const ROOTS = roots('client_roots');
const CONFIRM = form('confirm', 'ok', { ok: { type: 'boolean' } });

/** Tools that ask one thing. */
const ASKING: Readonly<Record<string, Question>> = {
  test_sampling: sampling('sample', 'Test prompt for sampling'),
  test_missing_capability: sampling('sample', 'Say pong'),
  test_elicitation: form('response', 'response'),
  test_elicitation_sep1034_defaults: form('defaults', 'name', DEFAULTS),
  test_elicitation_sep1330_enums: form('enums', 'untitledSingle', ENUMS),
  test_input_required_result_elicitation: NAME,
  test_input_required_result_sampling: sampling('capital_question', 'What is the capital of France?'),
  test_input_required_result_list_roots: ROOTS,
};

/** Tools that ask the client in the middle of a call. */
export function addAskingTools(server: McpServer, seal: Seal): void {
  for (const [name, question] of Object.entries(ASKING))
    addTool(server, name, (request) => ask([question], request));
  addTool(server, 'test_input_required_result_multiple_inputs', async (request) =>
    ask([NAME, GREETING, ROOTS], request, await seal.mint({})),
  );
  addTool(server, 'test_input_required_result_request_state', async (request) =>
    ask([CONFIRM], request, await seal.mint({}), 'state-ok'),
  );
  addTool(server, 'test_input_required_result_tampered_state', async (request) =>
    ask([CONFIRM], request, await seal.mint({}), 'state-ok'),
  );
  addTool(server, 'test_input_required_result_multi_round', async (request) => {
    const { round = 0 } = request.requestState<{ round?: number }>() ?? {};
    if (round === 2) return said('two rounds');
    return asking([form(`step${round + 1}`, 'answer')], await seal.mint({ round: round + 1 }));
  });
  addTool(server, 'test_input_required_result_capabilities', (request) => {
    const envelope = request.envelope as Readonly<Record<string, object>> | undefined;
    return ask(
      'elicitation' in (envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? {}) ? [NAME] : [GREETING],
      request,
    );
  });
}

/** Makes the result that asks something. */
export function asking(questions: readonly Question[], requestState?: string): InputRequiredResult {
  const inputRequests = Object.fromEntries(questions.map(({ name, request }) => [name, request]));
  return inputRequired({ inputRequests, ...(requestState !== undefined && { requestState }) });
}

/** Asks until everything is answered. */
function ask(questions: readonly Question[], request: Request, state?: string, done = ''): Result {
  const answers = questions.map((question) => question.answer(request));
  return answers.includes(undefined) ? asking(questions, state) : said(`${done} ${answers.join(', ')}`);
}

function addTool(
  server: McpServer,
  name: string,
  handle: (request: Request) => Result | Promise<Result>,
): void {
  const inputSchema = z.looseObject({});
  server.registerTool(name, { description: 'Asks', inputSchema }, (_, { mcpReq }) => handle(mcpReq));
}

function form(
  name: string,
  field: string,
  properties: Schema['properties'] = { [field]: { type: 'string' } },
): Question {
  const requestedSchema: Schema = { type: 'object', properties };
  return {
    name,
    request: inputRequired.elicit({ message: `Your ${field}?`, requestedSchema }),
    answer({ inputResponses }) {
      const content = acceptedContent(inputResponses, name);
      return content && JSON.stringify(content);
    },
  };
}

function sampling(name: string, words: string): Question {
  const content = { type: 'text' as const, text: words };
  return {
    name,
    request: inputRequired.createMessage({ messages: [{ role: 'user', content }], maxTokens: 100 }),
    answer({ inputResponses }) {
      const answer = inputResponse(inputResponses, name);
      return answer.kind === 'sampling' ? JSON.stringify(answer.result.content) : undefined;
    },
  };
}

function roots(name: string): Question {
  return {
    name,
    request: inputRequired.listRoots(),
    answer({ inputResponses }) {
      const answer = inputResponse(inputResponses, name);
      return answer.kind === 'roots' ? answer.roots.map(({ uri }) => uri).join(' ') : undefined;
    },
  };
}
