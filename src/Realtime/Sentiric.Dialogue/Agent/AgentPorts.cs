using Sentiric.Contracts.Services;
using Sentiric.Speech;

namespace Sentiric.Dialogue;

/// <summary>Everything outside that an agent works with.</summary>
/// <param name="Llm">Null: the built-in engine alone.</param>
public sealed record AgentPorts(
    IMediaSessions Media, IKnowledge Knowledge, IConnectors Connectors, ICallJournal Journal, ICallControl Control, ICallState State,
    ISpeechRecognizer Recognizer, ISpeechSynthesizer Synthesizer, IVoiceActivityDetectorFactory Voices, ITurnDetector Turns, ILlm? Llm, TimeProvider Time)
{
    /// <summary>The same synthesiser behind a cache, for prompts that every call hears.</summary>
    public SynthesisCache Prompts { get; } = new(Synthesizer);
}
