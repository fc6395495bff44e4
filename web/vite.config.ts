import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The server the development page talks to: `critiql serve` on its usual port.
const server = process.env["CRITIQL_SERVER"] ?? "http://127.0.0.1:8484";
const proxied = ["/api", "/threads", "/runs", "/assistants"];

export default defineConfig({
  base: "./",
  plugins: [react()],
  server: { host: "127.0.0.1", proxy: Object.fromEntries(proxied.map((path) => [path, server])) },
  build: {
    outDir: "../server/page",
    emptyOutDir: true,
    // One file for each lazily loaded part; names by content, so that browsers may keep them for ever.
    target: "es2023",
    cssTarget: "chrome123",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1500,
    reportCompressedSize: true,
  },
});
