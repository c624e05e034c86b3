using System.Text.Json;
using Sentiric.Contracts;

namespace Sentiric.Cli.Demo;

/// <summary>A line of the phone's --json output: something happened, or the report at the end.</summary>
internal sealed record PhoneMessage(
    string Event, long AtMs = 0, int? Step = null, string? Text = null, int? Status = null, long? Ms = null, string? SipCallId = null, bool Ok = false,
    PhoneReport? Report = null)
{
    /// <summary>Null for what is no message of the phone.</summary>
    public static PhoneMessage? Read(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<PhoneMessage>(line, Wire.Json) is { Event: not null } message ? message : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>What the caller heard and measured on its side.</summary>
internal sealed record PhoneReport(
    bool Answered, IReadOnlyList<int> Statuses, string SipCallId, string? HungUpBy, string End, bool AllStepsPlayed, long? AnsweredAfterMs, long TotalMs,
    IReadOnlyList<PhoneStep> Steps, PhoneRtp? Rtp, string? Recording, string? Problem);

internal sealed record PhoneStep(int Step, string Kind, string? Text, string? ExpectHeard, bool Played, long? LatencyMs, long? AgentStoppedAfterMs);

internal sealed record PhoneRtp(string? Codec, long Sent, long Received, long Lost, double MaxGapMs, double JitterMs, double Mos, long LateTicks);
