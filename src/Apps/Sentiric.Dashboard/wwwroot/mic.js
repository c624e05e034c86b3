// Runs beside the page: 16-bit samples, 20 ms a message.
class Mic extends AudioWorkletProcessor {
  constructor() {
    super();
    this.frame = new Int16Array(160);
    this.filled = 0;
  }

  process([input]) {
    for (const sample of input[0] ?? []) {
      this.frame[this.filled++] = Math.max(-32768, Math.min(32767, Math.round(sample * 32767)));
      if (this.filled < this.frame.length) continue;
      this.port.postMessage(this.frame.slice().buffer);
      this.filled = 0;
    }
    return true;
  }
}

registerProcessor("mic", Mic);
