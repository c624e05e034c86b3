namespace Sentiric.Contracts.Queries;

/// <summary>How a call sounded over time: how loud each side was, and how the packets came.</summary>
/// <param name="Waveform">Absent when the call has no recording that can be opened, or one that is not WAV.</param>
/// <param name="Quality">In order; empty for a call without media.</param>
public sealed record CallMedia(CallWaveform? Waveform, IReadOnlyList<MediaInterval> Quality);

/// <param name="StepMs">How long one peak lasts.</param>
/// <param name="Caller">The loudest sample of each step, 0 to 1 of full scale.</param>
public sealed record CallWaveform(int StepMs, IReadOnlyList<double> Caller, IReadOnlyList<double> Agent);

/// <summary>What was received between two measurements.</summary>
/// <param name="FromMs">Since the call was answered.</param>
/// <param name="Lost">Packets that never came or came too late, in this interval alone.</param>
/// <param name="JitterMs">At the end of the interval (RFC 3550).</param>
/// <param name="Mos">Estimate over the call until then.</param>
public sealed record MediaInterval(long FromMs, long ToMs, long Received, long Lost, double JitterMs, double Mos);

/// <summary>Whether a recording is still the one that was recorded: each stretch as the log tells of it, against the file as it lies there.</summary>
/// <param name="Intact">Every stretch is, and nothing is missing between them.</param>
/// <param name="Segments">In order.</param>
public sealed record RecordingVerdict(string Uri, bool Intact, IReadOnlyList<RecordingSegmentCheck> Segments);

/// <param name="Offset">Of its first byte in the file.</param>
/// <param name="Sha256">As it was told when it was stored.</param>
/// <param name="Found">As it is now; absent when the file ends before the stretch does.</param>
public sealed record RecordingSegmentCheck(int Number, long FromMs, long DurationMs, long Offset, long Bytes, string Sha256, string? Found, bool Intact);
