using System.Text.Json.Serialization;

namespace Sentiric.Contracts.Services;

/// <summary>How the trunks of the sip role stand, for whoever operates it.</summary>
public interface ITrunks
{
    /// <summary>Every trunk of the settings, in their order; empty while SIP does not listen yet.</summary>
    ValueTask<IReadOnlyList<TrunkReport>> ListAsync(CancellationToken ct);
}

/// <summary>A trunk as it stands now. Never holds a password, nor who we are there.</summary>
/// <param name="Target">Where our calls go, scheme, host, port and transport; absent for a trunk that only sends calls.</param>
/// <param name="Since">When it became what it is; absent while nothing was heard.</param>
/// <param name="LastOptions">Absent when nobody asks, or nobody has asked yet.</param>
/// <param name="Registration">Absent for a trunk that knows our address.</param>
/// <param name="Calls">Calls that came over it or were placed through it and are not over.</param>
public sealed record TrunkReport(
    string Name, string? Target, TrunkCondition State, DateTimeOffset? Since, TrunkOptionsAnswer? LastOptions, TrunkRegistration? Registration, int Calls);

[JsonConverter(typeof(JsonStringEnumConverter<TrunkCondition>))]
public enum TrunkCondition
{
    /// <summary>Nothing was heard yet; it gets calls.</summary>
    [JsonStringEnumMemberName("unknown")] Unknown,
    [JsonStringEnumMemberName("up")] Up,
    [JsonStringEnumMemberName("down")] Down,
}

/// <param name="Status">SIP status; 408 for silence, 503 for what could not be sent.</param>
public sealed record TrunkOptionsAnswer(DateTimeOffset At, int Status, string Reason);

/// <param name="Status">SIP status of the last answer; 0 before the first.</param>
/// <param name="Until">When the registration expires unless it is refreshed; absent while there is none.</param>
public sealed record TrunkRegistration(TrunkRegistrationState State, int Status, string Reason, DateTimeOffset? Until);

[JsonConverter(typeof(JsonStringEnumConverter<TrunkRegistrationState>))]
public enum TrunkRegistrationState
{
    [JsonStringEnumMemberName("trying")] Trying,
    [JsonStringEnumMemberName("registered")] Registered,
    [JsonStringEnumMemberName("failing")] Failing,
    [JsonStringEnumMemberName("refused")] Refused,
    [JsonStringEnumMemberName("stopped")] Stopped,
}
