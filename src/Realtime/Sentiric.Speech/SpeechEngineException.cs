namespace Sentiric.Speech;

/// <summary>What kept a speech engine from working. A closed list: callers switch over it, logs count it.</summary>
public enum SpeechFault
{
    LibraryMissing,
    LibraryUnusable,
    ModelMissing,
    ModelCorrupt,
    ModelMismatch,
    LanguageUnsupported,
    VoiceUnsupported,
    ProgramMissing,
    EngineFailed,
    RemoteFailed,
    Overloaded,
}

/// <summary>A speech engine could not do its work. <see cref="Remedy"/> tells an operator in one sentence what to do about it.</summary>
public sealed class SpeechEngineException(SpeechFault fault, string message, string remedy, Exception? inner = null)
    : Exception($"{message} {remedy}".TrimEnd(), inner)
{
    public SpeechFault Fault { get; } = fault;

    public string Remedy { get; } = remedy;
}
