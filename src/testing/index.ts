export {
  startTestApp,
  type SendOptions,
  type TestAnswer,
  type TestApp,
  type TestAppOptions,
  type TestRun,
} from "./test-app.ts";
