using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;

namespace Sentiric.Cli.Demo;

/// <summary>
/// A day and a time that the demo's caller can still ask for: an appointment of an earlier demo keeps its hour, and a calendar that says
/// "taken" would lead the scripted caller astray. What is taken is read from the tools of this caller's earlier calls.
/// </summary>
internal sealed record FreeSlot(string Day, string Time)
{
    private const int CallsLookedAt = 60;
    private static readonly TimeZoneInfo Clinic = TimeZoneInfo.FindSystemTimeZoneById("Europe/Istanbul");

    // As the caller says them; those that are easiest to hear come first.
    private static readonly (string Said, DayOfWeek Day)[] Days =
    [
        ("salı", DayOfWeek.Tuesday), ("çarşamba", DayOfWeek.Wednesday), ("cuma", DayOfWeek.Friday), ("pazartesi", DayOfWeek.Monday),
        ("perşembe", DayOfWeek.Thursday), ("cumartesi", DayOfWeek.Saturday),
    ];

    private static readonly (string Said, string Clock)[] Times =
    [
        ("saat onda", "10:00"), ("saat on birde", "11:00"), ("saat on ikide", "12:00"), ("saat dokuzda", "09:00"), ("saat üçte", "15:00"),
        ("saat ikide", "14:00"), ("saat dörtte", "16:00"), ("saat beşte", "17:00"),
    ];

    /// <summary>The first that is free; the refusal says that the demo's week is full.</summary>
    public static async Task<FreeSlot> FindAsync(Session session, string caller, CancellationToken ct)
    {
        var taken = await TakenAsync(session.Api, caller, ct);
        var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(session.Time.GetUtcNow(), Clinic).DateTime);
        return Choose(today, taken) ?? throw new CliException("demo.week_full", "Every hour that the demo's caller asks for is booked. ./sentiric wipe starts anew.");
    }

    /// <param name="taken">Date and time as the calendar writes them: "2026-03-03 10:00".</param>
    internal static FreeSlot? Choose(DateOnly today, IReadOnlySet<string> taken) =>
        Times.SelectMany(t => Days.Select(d => (Slot: new FreeSlot(d.Said, t.Said), At: $"{Next(today, d.Day):yyyy-MM-dd} {t.Clock}")))
            .FirstOrDefault(s => !taken.Contains(s.At)).Slot;

    // The weekday's name means the next such day after today.
    private static DateOnly Next(DateOnly today, DayOfWeek day) => today.AddDays(((int)day - (int)today.DayOfWeek + 6) % 7 + 1);

    private static async Task<IReadOnlySet<string>> TakenAsync(Api api, string caller, CancellationToken ct)
    {
        var taken = new HashSet<string>(StringComparer.Ordinal);
        var calls = await api.GetAsync<Page<CallRecord>>($"v1/calls?from={Uri.EscapeDataString(caller)}&limit={CallsLookedAt}", ct);
        foreach (var call in calls.Items.Where(c => c.Answered))
        {
            foreach (var entry in await api.GetAsync<IReadOnlyList<HistoryEntry>>($"v1/calls/{call.CallId}/events", ct))
            {
                if (Show.History.Envelope(entry, call.CallId).Decode() is ToolSucceeded { Values: var v } && v.TryGetValue("date", out var date) && v.TryGetValue("time", out var time))
                {
                    taken.Add($"{date} {time}");
                }
            }
        }

        return taken;
    }
}
