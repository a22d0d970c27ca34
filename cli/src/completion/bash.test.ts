import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { bashCompletion } from './bash.js';

describe('completion in bash', () => {
  it('leaves what follows -- to the files', async () => {
    const script = bashCompletion('x', [{ id: 'run', flags: { deep: { type: 'boolean' } } }]);
    const words = `${script}\nCOMP_WORDS=(x run -- --d); COMP_CWORD=3; _x_complete; echo "[\${COMPREPLY[*]}]"`;
    expect(execFileSync('bash', ['-c', words], { encoding: 'utf8' })).to.equal('[]\n');
  });
});
