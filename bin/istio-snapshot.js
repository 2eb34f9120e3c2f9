#!/usr/bin/env node
"use strict";
require("./program.js").load().main(process.argv.slice(2));
