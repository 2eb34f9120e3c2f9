#!/usr/bin/env node
"use strict";
const args = process.argv.slice(2);
require("./program.js")
  .load(args)
  .main(args)
  .then(() => {
    // all is said: Node.js would collect garbage first. Elsewhere stderr may still be written in the background
    if (process.platform === "linux") process.stdout.write("", () => process.exit());
  });
