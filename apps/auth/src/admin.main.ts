import { runAdmin } from './admin/admin.ts';

const { text, code } = await runAdmin(process.argv.slice(2), Date.now());
(code === 0 ? process.stdout : process.stderr).write(`${text}\n`);
process.exitCode = code;
