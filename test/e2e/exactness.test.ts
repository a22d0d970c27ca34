import { expect } from 'chai';
import { RECEIVED } from '../fixtures/raw-peer.js';
import { ProxyProcess } from './proxy-process.js';
import {
  fixture,
  localProgram,
  serveRawOverHttp,
  serveRawOverTcp,
  type HttpPeer,
  type Peer,
} from './servers.js';

/** Messages that lose something in any program that parses them and writes them anew. */
const DELICATE = {
  'an id above 2^53': '{"jsonrpc":"2.0","id":9007199254740993,"method":"x/y","params":SAY}',
  'members in an unusual order': '{"params":SAY,"method":"x/y","id":"late","jsonrpc":"2.0"}',
  'members that nobody knows': '{"jsonrpc":"2.0","id":2,"method":"x/y","x-top":{"b":1,"a":[]},"params":SAY}',
  'escapes and raw letters': '{"jsonrpc":"2.0","id":"\\u00e9\\/é","method":"x\\u002fy","params":SAY}',
  'numbers in unusual forms': '{"jsonrpc":"2.0","id":4,"n":[1.0,1e3,-0,0.10],"method":"x/y","params":SAY}',
  'blanks between the tokens': '{ "jsonrpc" : "2.0" ,\t"id" : 5 , "method" : "x/y", "params" : SAY }',
  'a name given twice': '{"jsonrpc":"2.0","id":6,"method":"x/y","a":1,"a":2,"params":SAY}',
} as const;

const ANSWERS = {
  'an id above 2^53': '{"jsonrpc":"2.0","id":9007199254740993,"result":{}}',
  'members in an unusual order': '{"result":{"z":1,"a":2},"id":"late","jsonrpc":"2.0"}',
  'members that nobody knows': '{"jsonrpc":"2.0","id":2,"x-top":null,"result":{"x-in":{"b":1,"a":[]}}}',
  'escapes and raw letters':
    '{"jsonrpc":"2.0","id":"\\u00e9\\/é","result":{"t":"\\ud83d\\ude00 😀 \\u2028"}}',
  'numbers in unusual forms':
    '{"jsonrpc":"2.0","id":4,"error":{"code":-32000,"message":"","data":[1.0,1e3,-0,0.10]}}',
  'blanks between the tokens': '{ "jsonrpc" : "2.0" ,\t"id" : 5 , "result" : { } }',
  'a name given twice': '{"jsonrpc":"2.0","id":6,"result":{"a":1,"a":2}}',
} as const;

const ANSWER_8 = '{"jsonrpc":"2.0","id":8,"result":{}}';

passesExactly('Streamable HTTP, replies as event streams', () => serveRawOverHttp('sse'));
passesExactly('stdio', async () => localProgram(...fixture('raw-stdio')));
passesExactly('TCP', serveRawOverTcp);

/** A raw client, a raw server, and mcp-connect between them: every byte must be the same on both sides. */
function passesExactly(route: string, start: () => Promise<Peer>): void {
  describe(`bytes over ${route}`, () => {
    let peer: Peer;
    let proxy: ProxyProcess;

    before(async () => {
      peer = await start();
      proxy = new ProxyProcess(['proxy', ...peer.args]);
    });

    after(async () => {
      await proxy.end();
      await peer.close();
    });

    for (const [title, answer] of Object.entries(ANSWERS)) {
      it(`${title} pass both ways unchanged`, async () => {
        const request = asking(DELICATE[title as keyof typeof DELICATE], answer);
        proxy.write(request);
        await proxy.line((line) => line === answer);
        expect(told(proxy).at(-1)).to.equal(request);
      });
    }

    it("a server's request and notification pass unchanged, in order, before the answer that follows", async () => {
      const said = [
        '{"method":"notifications/x","params":{"big":9007199254740993},"jsonrpc":"2.0"}',
        '{"id":9007199254740995,"jsonrpc":"2.0","method":"x/ask","params":{"b":1,"a":2}}',
        '{"jsonrpc":"2.0","result":{"last":true},"id":7}',
      ];
      proxy.write(asking('{"jsonrpc":"2.0","id":7,"method":"x/y","params":SAY}', ...said));
      await proxy.line((line) => line === said[2]);
      expect(proxy.lines.slice(-3)).to.deep.equal(said);
    });

    it("the client's answer arrives unchanged, and where order is kept before what follows it", async () => {
      const last = '{"jsonrpc":"2.0","id":9,"result":{}}';
      const question = '{"id":9007199254740997,"jsonrpc":"2.0","method":"x/ask"}';
      proxy.write(asking('{"jsonrpc":"2.0","id":8,"method":"x/y","params":SAY}', question, ANSWER_8));
      await proxy.line((line) => line === ANSWER_8);
      const reply = '{"result":{"b":1.0,"a":"\\u00e9"},"id":9007199254740997,"jsonrpc":"2.0"}';
      const request = asking('{"jsonrpc":"2.0","id":9,"method":"x/y","params":SAY}', last);
      // One write: the two lines arrive together.
      proxy.write(`${reply}\n${request}`);
      await proxy.line((line) => line === last);
      if ('arrivals' in peer) await (peer as HttpPeer).arrivals.next(({ body }) => body === reply);
      else expect(told(proxy).slice(-2)).to.deep.equal([reply, request]);
    });
  });
}

describe('bytes over Streamable HTTP, replies as JSON', () => {
  let peer: HttpPeer;
  let proxy: ProxyProcess;

  before(async () => {
    peer = await serveRawOverHttp('json');
    proxy = new ProxyProcess(['proxy', ...peer.args]);
  });

  after(async () => {
    await proxy.end();
    await peer.close();
  });

  for (const [title, answer] of Object.entries(ANSWERS)) {
    it(`${title} pass both ways unchanged`, async () => {
      const request = asking(DELICATE[title as keyof typeof DELICATE], answer);
      proxy.write(request);
      await proxy.line((line) => line === answer);
      await peer.arrivals.next(({ body }) => body === request);
    });
  }

  it('a body of many lines becomes one line', async () => {
    const pretty = '{\n  "jsonrpc": "2.0",\r\n  "id": "pretty",\n  "result": {}\n}';
    proxy.write(asking('{"jsonrpc":"2.0","id":"pretty","method":"x/y","params":SAY}', pretty));
    await proxy.line((line) => line === pretty.replaceAll(/[\r\n]/g, ' '));
  });
});

/** Fills in what the raw peer shall say. */
function asking(template: string, ...say: readonly string[]): string {
  return template.replace('SAY', () => JSON.stringify({ say }));
}

/** The lines that a raw peer has told of, in the order in which it read them. */
function told({ lines }: ProxyProcess): string[] {
  return lines
    .map((line) => JSON.parse(line) as { method?: string; params: { base64: string } })
    .filter(({ method }) => method === RECEIVED)
    .map(({ params }) => Buffer.from(params.base64, 'base64').toString('utf8'));
}
