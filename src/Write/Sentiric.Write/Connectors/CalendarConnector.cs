using System.Globalization;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.EventStore;

namespace Sentiric.Write.Connectors;

/// <summary>
/// The built-in appointment calendar. Actions: <c>book</c> (day, time, name, contact), <c>cancel</c> (appointment_id), <c>free</c> (day).
/// The parameter <c>language</c>, else the connector's setting, says in which language it refuses.
/// </summary>
public sealed class CalendarConnector(IEventStore store, CommandRunner runner, TimeProvider clock)
{
    public const int MaxDaysAhead = 365;
    private const int MaxDaysSearched = 14;
    private const int MaxFreeTold = 5;
    private const string Actor = "connector";

    public async ValueTask<Result<ConnectorOutcome>> ExecuteAsync(CalendarSettings settings, ExecuteConnector request, CancellationToken ct)
    {
        var asked = request.Parameters.GetValueOrDefault("language");
        var words = new CalendarWords(Valid.Language(asked) ? asked! : settings.Language);
        return request.Action switch
        {
            "book" => await BookAsync(settings, words, request, ct).ConfigureAwait(false),
            "cancel" => await CancelAsync(words, request, ct).ConfigureAwait(false),
            "free" => await FreeAsync(settings, words, request, ct).ConfigureAwait(false),
            _ => new Refusal("connector.action_unknown", $"A calendar knows the actions book, cancel and free, not '{request.Action}'."),
        };
    }

    private async ValueTask<Result<ConnectorOutcome>> BookAsync(CalendarSettings settings, CalendarWords words, ExecuteConnector request, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        if (await AlreadyBookedAsync(settings, words, request, now, ct).ConfigureAwait(false) is { } earlier)
        {
            return earlier;
        }

        var wish = Wish(settings, words, request, now);
        if (wish.Refusal is { } refusal)
        {
            return refusal;
        }

        var day = DateOnly.FromDateTime(settings.Local(wish.Value.StartsAt));
        var booked = await runner.RunAsync(new Requester(request.Tenant, Actor), async (work, token) =>
        {
            var stream = Streams.Calendar(request.Connector, day);
            return work.Append(stream, (await work.FetchAsync<CalendarDay>(stream, token).ConfigureAwait(false)).Book(wish.Value));
        }, ct).ConfigureAwait(false);
        return booked.Refusal switch
        {
            null => Outcome(settings, words, wish.Value.AppointmentId, wish.Value.StartsAt),
            { Code: "calendar.slot_taken" } => await TakenAsync(settings, words, request, wish.Value.StartsAt, ct).ConfigureAwait(false),
            { } other => other,
        };
    }

    // A repeated request may come after midnight, when "tomorrow" has become another day: what it meant yesterday is looked at too.
    private async ValueTask<Result<ConnectorOutcome>?> AlreadyBookedAsync(
        CalendarSettings settings, CalendarWords words, ExecuteConnector request, DateTimeOffset now, CancellationToken ct)
    {
        var today = DateOnly.FromDateTime(settings.Local(now));
        DateOnly?[] meant = [.. new[] { today, today.AddDays(-1) }.Select(d => DayWords.Parse(request.Parameters.GetValueOrDefault("day"), d)).Distinct()];
        foreach (var day in meant.OfType<DateOnly>())
        {
            var state = await store.StateAsync<CalendarDay>(request.Tenant, Streams.Calendar(request.Connector, day), ct).ConfigureAwait(false);
            if (state.ByKey(request.IdempotencyKey) is { } entry)
            {
                return Outcome(settings, words, entry.Id, entry.StartsAt);
            }
        }

        return null;
    }

    private static Result<AppointmentBooked> Wish(CalendarSettings settings, CalendarWords words, ExecuteConnector request, DateTimeOffset now)
    {
        var today = DateOnly.FromDateTime(settings.Local(now));
        if (DayWords.Parse(request.Parameters.GetValueOrDefault("day"), today) is not { } day)
        {
            return Bad(words.BadDay);
        }

        if (TimeOf(request.Parameters.GetValueOrDefault("time")) is not { } time)
        {
            return Bad(words.BadTime);
        }

        var person = request.Parameters.GetValueOrDefault("name");
        if (!Valid.Text(person, Valid.MaxName))
        {
            return Bad(words.NoName);
        }

        if (Closed(settings, words, day, time, now) is { } refusal)
        {
            return refusal;
        }

        return settings.Moment(day, time) is { } startsAt
            ? new AppointmentBooked(now, AppointmentId.Of(day, request.Tenant, request.Connector, request.IdempotencyKey), request.Connector,
                startsAt, settings.SlotMinutes, person!, request.Parameters.GetValueOrDefault("contact") ?? "", request.IdempotencyKey)
            : new Refusal("calendar.closed", words.ClosedAt(settings));
    }

    private static Refusal? Closed(CalendarSettings settings, CalendarWords words, DateOnly day, TimeOnly time, DateTimeOffset now)
    {
        var local = settings.Local(now);
        if (day.ToDateTime(time) <= local)
        {
            return Bad(words.Past);
        }

        if (day.DayNumber - DateOnly.FromDateTime(local).DayNumber > MaxDaysAhead)
        {
            return Bad(words.TooFar);
        }

        if (!settings.IsOpenOn(day))
        {
            return new("calendar.closed", words.ClosedOn(day));
        }

        if (time < settings.OpenFrom || time.AddMinutes(settings.SlotMinutes) > settings.OpenTo || time.AddMinutes(settings.SlotMinutes) <= time)
        {
            return new("calendar.closed", words.ClosedAt(settings));
        }

        return settings.Slots().Contains(time) ? null : Bad(words.OffGrid(settings));
    }

    private async ValueTask<Result<ConnectorOutcome>> TakenAsync(
        CalendarSettings settings, CalendarWords words, ExecuteConnector request, DateTimeOffset startsAt, CancellationToken ct)
    {
        var local = settings.Local(startsAt);
        var (day, time) = (DateOnly.FromDateTime(local), TimeOnly.FromDateTime(local));
        for (var i = 0; i < MaxDaysSearched; i++)
        {
            var free = await FreeOnAsync(settings, request, day.AddDays(i), ct).ConfigureAwait(false);
            var after = free.Where(t => i > 0 || t > time).ToList();
            if (after.Count > 0)
            {
                return new Refusal("calendar.slot_taken", words.Taken(day, time, (day.AddDays(i), after[0])));
            }
        }

        return new Refusal("calendar.slot_taken", words.Taken(day, time, next: null));
    }

    private async ValueTask<Result<ConnectorOutcome>> CancelAsync(CalendarWords words, ExecuteConnector request, CancellationToken ct)
    {
        if (!Guid.TryParse(request.Parameters.GetValueOrDefault("appointment_id"), out var id) || AppointmentId.DayOf(id) is not { } day)
        {
            return Bad(words.NoAppointment);
        }

        var cancelled = await runner.RunAsync(new Requester(request.Tenant, Actor), async (work, token) =>
        {
            var stream = Streams.Calendar(request.Connector, day);
            var state = await work.FetchAsync<CalendarDay>(stream, token).ConfigureAwait(false);
            return work.Append(stream, state.Cancel(id, request.Connector, request.Parameters.GetValueOrDefault("why") ?? "cancelled", work.Now));
        }, ct).ConfigureAwait(false);
        return cancelled.Refusal switch
        {
            null => new ConnectorOutcome(new Dictionary<string, string>
            {
                ["appointment_id"] = id.ToString("D"),
                ["day"] = words.Day(day),
                ["date"] = Iso(day),
            }),
            { Code: "connector.bad_parameter" } => Bad(words.NoAppointment),
            { } other => other,
        };
    }

    private async ValueTask<Result<ConnectorOutcome>> FreeAsync(CalendarSettings settings, CalendarWords words, ExecuteConnector request, CancellationToken ct)
    {
        var today = DateOnly.FromDateTime(settings.Local(clock.GetUtcNow()));
        if (DayWords.Parse(request.Parameters.GetValueOrDefault("day"), today) is not { } day)
        {
            return Bad(words.BadDay);
        }

        if (!settings.IsOpenOn(day))
        {
            return new Refusal("calendar.closed", words.ClosedOn(day));
        }

        var free = await FreeOnAsync(settings, request, day, ct).ConfigureAwait(false);
        return new ConnectorOutcome(new Dictionary<string, string>
        {
            ["day"] = words.Day(day),
            ["date"] = Iso(day),
            ["count"] = free.Count.ToString(CultureInfo.InvariantCulture),
            ["times"] = string.Join(", ", free.Take(MaxFreeTold).Select(CalendarWords.Time)),
        });
    }

    private async ValueTask<IReadOnlyList<TimeOnly>> FreeOnAsync(CalendarSettings settings, ExecuteConnector request, DateOnly day, CancellationToken ct)
    {
        if (!settings.IsOpenOn(day))
        {
            return [];
        }

        var state = await store.StateAsync<CalendarDay>(request.Tenant, Streams.Calendar(request.Connector, day), ct).ConfigureAwait(false);
        var now = clock.GetUtcNow();
        return [.. settings.Slots().Where(t => settings.Moment(day, t) is { } moment && moment > now && state.IsFree(moment, settings.SlotMinutes))];
    }

    private static ConnectorOutcome Outcome(CalendarSettings settings, CalendarWords words, Guid id, DateTimeOffset startsAt)
    {
        var local = settings.Local(startsAt);
        var day = DateOnly.FromDateTime(local);
        return new(new Dictionary<string, string>
        {
            ["appointment_id"] = id.ToString("D"),
            ["day"] = words.Day(day),
            ["date"] = Iso(day),
            ["time"] = CalendarWords.Time(TimeOnly.FromDateTime(local)),
        });
    }

    // "14:30", "14.30", "9:00"
    private static TimeOnly? TimeOf(string? text) =>
        TimeOnly.TryParseExact(text?.Trim().Replace('.', ':'), ["H:mm", "HH:mm"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
            ? time
            : null;

    private static string Iso(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static Refusal Bad(string why) => new("connector.bad_parameter", why);
}
