import { createMasker, builtInDetectors } from "./index.ts";
import { readFileSync } from "node:fs"; 
for (const f of process.argv.slice(2)) { const t=readFileSync(f,"utf8"); const m=createMasker({policy:{},known:[],detectors:builtInDetectors()}); const b=performance.now(); const r=await m.mask([t]); console.log(f,t.length,Math.round(performance.now()-b),JSON.stringify(r.originals)); }
