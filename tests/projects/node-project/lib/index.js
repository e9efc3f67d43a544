// Answers every request with the time it has been up, in seconds.
const http = require("node:http");

http.createServer((request, response) => response.end(`${Math.floor(process.uptime())}\n`)).listen(3000);
