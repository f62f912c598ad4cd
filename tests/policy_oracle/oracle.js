// Reads one simulation a line, as JSON, and answers each with one line: what
// @cloud-copilot/iam-simulate makes of it ("Allowed", "ImplicitlyDenied", "ExplicitlyDenied"),
// or "error" and why it does not take the case.
import { createInterface } from "node:readline";
import { runSimulation } from "@cloud-copilot/iam-simulate";

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await runSimulation(JSON.parse(line), { simulationMode: "Strict" });
  const told =
    answer.resultType === "error" ? `error ${JSON.stringify(answer.errors)}` : answer.overallResult;
  process.stdout.write(`${told}\n`);
}
