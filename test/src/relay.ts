// Stands for a local server: joins its input and output to a peer of the process that runs the tests, and ends with it.
import { connect } from 'node:net';

const socket = connect(Number(process.argv[2]), '127.0.0.1');
process.stdin.pipe(socket);
socket.pipe(process.stdout);
socket.on('error', () => {
  // The peer broke off: so does this program, as in a crash.
  process.exitCode = 1;
});
socket.on('close', () => process.stdin.destroy());
