import { expect } from 'chai';
import { ConnectorError } from '@mcp-connect/core';
import { reportOf } from './report.js';

describe('a report', () => {
  it('is one line: what failed, then what to type', () => {
    const error = new ConnectorError('MCPC_USAGE', 'First\nsecond', { hint: 'Type this' });
    expect(reportOf(error)).to.deep.equal({ line: 'mcp-connect: First. second. Type this', exitCode: 2 });
  });

  it('names the variables that stood in for flags where the user is at fault, and only there', () => {
    const variables = ['MCP_CONNECT_CA', 'MCP_CONNECT_KEY'];
    const mistake = reportOf(new ConnectorError('MCPC_USAGE', 'x'), { variables });
    expect(mistake.line).to.include('MCP_CONNECT_CA, MCP_CONNECT_KEY');
    expect(reportOf(new ConnectorError('MCPC_PLUGIN', 'x'), { variables }).line).to.equal('mcp-connect: x');
  });

  it('has exit code 2 when the user or a plugin is at fault, else 1', () => {
    expect(reportOf(new ConnectorError('MCPC_PLUGIN', 'x')).exitCode).to.equal(2);
    expect(reportOf(new ConnectorError('MCPC_CONNECT', 'x')).exitCode).to.equal(1);
    expect(reportOf(new TypeError('x')).exitCode).to.equal(1);
  });
});
