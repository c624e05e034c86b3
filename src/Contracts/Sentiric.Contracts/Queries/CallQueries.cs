using System.Text.Json;
using Sentiric.Contracts.Events;

namespace Sentiric.Contracts.Queries;

/// <summary>The CDR: one row per call.</summary>
/// <param name="SipCallId">Empty for an outgoing call that was never dialled.</param>
/// <param name="Trunk">The last one over which an outgoing call was tried.</param>
/// <param name="TollRule">Why nothing was dialled.</param>
/// <param name="Transfer">refer, bridge or failed; absent when nobody asked for one.</param>
public sealed record CallRecord(
    Guid CallId, string Tenant, CallDirection Direction, string From, string To, Guid? UserId, string? UserName, string? DialplanId,
    DialplanAction? Action, string? Why, DateTimeOffset StartedAt, DateTimeOffset? RingingAt, DateTimeOffset? AnsweredAt, DateTimeOffset? EndedAt,
    bool Answered, CallEndReason? EndReason, HungUpBy? HungUpBy, int? SipCode, int? Q850Cause, long RingMs, long TalkMs, long BillableMs,
    int Turns, string? Codec, double? Mos, double? LossPercent, double? JitterMs, string? RecordingUri, string? RecordingSha256, long? RecordingMs,
    string SipCallId, string? Trunk = null, TollRule? TollRule = null, string? TransferredTo = null, string? Transfer = null);

/// <summary>A call that is up now.</summary>
/// <param name="State">requested, dialled, received, ringing, answered, talking (agent took over), ended.</param>
public sealed record LiveCall(
    Guid CallId, string Tenant, string From, string To, string? UserName, string? DialplanId, string State, DateTimeOffset StartedAt,
    DateTimeOffset? AnsweredAt, int Turns, string? LastHeard, string? LastSaid, CallDirection Direction = CallDirection.Inbound);

public sealed record TranscriptLine(
    int Turn, Speaker Speaker, string Text, double Confidence, long OffsetMs, long DurationMs, UtteranceKind? Kind, string? FullText);

/// <summary>One event of a call's stream, readable.</summary>
public sealed record HistoryEntry(
    long Sequence, long Version, Guid Id, string Type, DateTimeOffset OccurredAt, string? Actor, JsonElement Data);

public sealed record Page<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>A call with everything on it.</summary>
public sealed record CallDetail(CallRecord Record, IReadOnlyList<TranscriptLine> Transcript, IReadOnlyList<TurnRow> Turns);

public sealed record TurnRow(int Turn, string Heard, string Answered, double Confidence, TurnLatency Latency);
