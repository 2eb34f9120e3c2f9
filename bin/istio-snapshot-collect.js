#!/usr/bin/env node
import { main } from "../dist/collect/main.js";

await main(process.argv.slice(2));
