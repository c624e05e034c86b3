using Microsoft.Extensions.Logging;
using Sentiric.Contracts.Services;

namespace Sentiric.Calls;

/// <summary>A restart must not begin the day anew: at its start the sip role counts what earlier processes talked today, as the call records have it.</summary>
public sealed partial class UsedMinutes(ITalkTime times, OutgoingLines lines, TimeProvider clock, ILogger<UsedMinutes> logger) : WhatWasLeft(clock)
{
    protected override Task TakeOverAsync(DateTimeOffset before, CancellationToken ct) => CountAsync(before, ct);

    /// <summary>Counts calls that were answered today, before this process could place any.</summary>
    public async Task CountAsync(DateTimeOffset before, CancellationToken ct)
    {
        if (await lines.TrunksAsync(Clock, ct) is not { } trunks)
        {
            return;
        }

        foreach (var used in await times.BetweenAsync(trunks.DayBegan, before, ct))
        {
            trunks.Remember(used.Trunk, TimeSpan.FromMilliseconds(used.TalkMs));
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The minutes that were talked today before the start cannot be asked for yet; the toll rules count from zero until then")]
    protected override partial void LogRetry(Exception e);
}
