using Sentiric.Contracts.Services;
using Sentiric.Sip;

namespace Sentiric.Calls;

/// <summary>What the trunks look like from outside: what is known of each, without what is secret.</summary>
public sealed partial class SipRole : ITrunks
{
    /// <summary>How every trunk stands; empty before the start.</summary>
    public IReadOnlyList<TrunkStatus> Trunks => _trunks?.Statuses ?? [];

    public ValueTask<IReadOnlyList<TrunkReport>> ListAsync(CancellationToken ct)
    {
        var up = calls.All.Select(call => call.Trunk).OfType<string>().CountBy(name => name).ToDictionary();
        IReadOnlyList<TrunkReport> reports = [.. Trunks.Zip(options.Trunks.All, (status, trunk) => Report(status, trunk, up.GetValueOrDefault(trunk.Name)))];
        return ValueTask.FromResult(reports);
    }

    private static TrunkReport Report(TrunkStatus status, SipTrunk trunk, int calls) => new(
        trunk.Name, Address(trunk.Target), ConditionOf(status.State), status.Since,
        status.LastOptions is { } options ? new(options.At, options.StatusCode, options.Reason) : null,
        status.Registration is { } at ? new(StateOf(at.State), at.StatusCode, at.Reason, at.ExpiresAt) : null,
        calls);

    private int CallsOver(string trunk) => calls.All.Count(call => call.Trunk == trunk);

    // User and password of the URI stay out.
    private static string? Address(SipUri? target) => target is null
        ? null
        : $"{target.Scheme}:{target.Host}{(target.Port > 0 ? $":{target.Port}" : "")}{(target.Parameter("transport") is { } transport ? ";transport=" + transport : "")}";

    private static TrunkCondition ConditionOf(TrunkState state) => state switch
    {
        TrunkState.Unknown => TrunkCondition.Unknown,
        TrunkState.Up => TrunkCondition.Up,
        TrunkState.Down => TrunkCondition.Down,
    };

    private static TrunkRegistrationState StateOf(RegistrationState state) => state switch
    {
        RegistrationState.Trying => TrunkRegistrationState.Trying,
        RegistrationState.Registered => TrunkRegistrationState.Registered,
        RegistrationState.Failing => TrunkRegistrationState.Failing,
        RegistrationState.Refused => TrunkRegistrationState.Refused,
        RegistrationState.Stopped => TrunkRegistrationState.Stopped,
    };
}
