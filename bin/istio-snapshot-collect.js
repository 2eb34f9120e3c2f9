#!/usr/bin/env node
"use strict";
import("../dist/collect/main.js").then(({ main }) => main(process.argv.slice(2)));
