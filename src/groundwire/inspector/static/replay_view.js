export function replayView() { return ""; }
