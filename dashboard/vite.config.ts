import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  base: "/",
  plugins: [react(), tailwindcss()],
  build: {
    outDir: "../dist/dashboard",
    emptyOutDir: true,
    target: "es2024",
    // The server's content security policy takes files of its own origin only: nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The licences of what is bundled ask to be shipped with it.
    license: { fileName: "licenses.md" },
  },
  server: {
    port: 4610,
    proxy: { "/api": "http://127.0.0.1:4601" },
  },
});
