import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect } from 'chai';
import { Place } from './place.js';

describe('the place of a server', () => {
  async function fate(port: number): Promise<string> {
    const socket: Socket = connect(port, '127.0.0.1');
    const outcome = await once(socket, 'connect').then(
      () => 'connected',
      (error: unknown) => (error as NodeJS.ErrnoException).code!,
    );
    socket.destroy();
    return outcome;
  }

  it('is its own while it is away, and refuses connections then', async () => {
    const server = createServer((socket) => socket.destroy());
    const place = await Place.take(server);
    expect(await fate(place.port)).to.equal('connected');
    await place.leave();
    expect(await fate(place.port)).to.equal('ECONNREFUSED');
    await place.comeBack();
    expect(await fate(place.port)).to.equal('connected');
    await place.leave();
    await place.free();
    expect(await fate(place.port)).to.equal('ECONNREFUSED');
  });

  it('may be left and freed again and again', async () => {
    const place = await Place.take(createServer());
    for (let n = 0; n < 3; n++) {
      await place.leave();
      await place.leave();
      await place.comeBack();
      await place.comeBack();
    }
    await place.free();
    await place.free();
  });
});
