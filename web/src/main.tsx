import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { takeToken } from "./api/http";
import { App } from "./shell/App";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/parts.css";

takeToken();
createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
