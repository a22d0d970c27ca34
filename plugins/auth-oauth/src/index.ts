import { definePlugin } from '@mcp-connect/core';

/** Not built yet. */
export default definePlugin({ name: '@mcp-connect/auth-oauth', apply() {} });
