using System.Collections.Immutable;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;

namespace Sentiric.Write.Connectors;

/// <summary>Stream <c>calendar-{connector}-{yyyy-MM-dd}</c>: what is booked on a day. Cancelled appointments stay known by their keys.</summary>
public sealed record CalendarDay(ImmutableList<CalendarEntry> Entries) : IState<CalendarDay>
{
    public static CalendarDay Initial { get; } = new(ImmutableList<CalendarEntry>.Empty);

    public CalendarDay Evolve(IFact fact) => fact switch
    {
        AppointmentBooked b => new(Entries.Add(new(b.AppointmentId, b.StartsAt, b.Minutes, b.IdempotencyKey, Cancelled: false))),
        AppointmentCancelled c => new(Entries.ConvertAll(e => e.Id == c.AppointmentId ? e with { Cancelled = true } : e)),
        _ => this,
    };

    public bool IsFree(DateTimeOffset startsAt, int minutes) =>
        !Entries.Exists(e => !e.Cancelled && e.StartsAt < startsAt.AddMinutes(minutes) && startsAt < e.StartsAt.AddMinutes(e.Minutes));

    public CalendarEntry? ByKey(string key) => Entries.Find(e => e.Key == key);

    /// <summary>Books; a repeated key is quiet, a slot that is taken is refused.</summary>
    public Decision Book(AppointmentBooked wish)
    {
        if (ByKey(wish.IdempotencyKey) is not null)
        {
            return Decision.Quiet;
        }

        return IsFree(wish.StartsAt, wish.Minutes) ? Decision.Of(wish) : new Refusal("calendar.slot_taken", "The time is taken.");
    }

    /// <summary>Cancels; doing it twice is quiet.</summary>
    public Decision Cancel(Guid appointmentId, string connector, string why, DateTimeOffset now) =>
        Entries.Find(e => e.Id == appointmentId) switch
        {
            null => new Refusal("connector.bad_parameter", "There is no such appointment."),
            { Cancelled: true } => Decision.Quiet,
            _ => Decision.Of(new AppointmentCancelled(now, appointmentId, connector, why)),
        };
}

public sealed record CalendarEntry(Guid Id, DateTimeOffset StartsAt, int Minutes, string Key, bool Cancelled);
