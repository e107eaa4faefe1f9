#!/usr/bin/env node
/* global require */
require('./queue-programs.js')('crawl');
