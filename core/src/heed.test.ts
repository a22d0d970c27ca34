import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { heed } from './heed.js';

describe('heed', () => {
  it('tells of every chunk, and again and again while the stream is held back', async () => {
    const stream = new PassThrough();
    let told = 0;
    let onnext = (): void => undefined;
    heed(stream, () => {
      told++;
      onnext();
    });
    const again = (): Promise<void> => new Promise((resolve) => (onnext = resolve));
    let next = again();
    stream.write('a');
    await next;
    stream.pause();
    for (let n = 0; n < 2; n++) {
      next = again();
      await next;
    }
    expect(told).to.be.at.least(3);
    stream.destroy();
  });
});
