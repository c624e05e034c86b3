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
