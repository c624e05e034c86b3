using Sentiric.Contracts;
using Sentiric.Contracts.Events;

namespace Sentiric.Write.Dialplans;

/// <summary>What a route's settings name and the tenant does not have.</summary>
/// <param name="MissingPlan">The first plan that is unknown or retired.</param>
public sealed record RouteReferences(string? MissingPlan, string? MissingSchedule)
{
    public static RouteReferences Complete { get; } = new(null, null);

    public Refusal? Check(RouteSettings settings)
    {
        if (!Valid.Language(settings.Language))
        {
            return new("route.invalid", "The route's language is 'tr' or 'en'.");
        }

        if (MissingPlan is not null)
        {
            return new("route.dialplan_unknown", $"The route names the dialplan '{MissingPlan}', which is unknown or retired.");
        }

        return MissingSchedule is not null
            ? new("route.schedule_unknown", $"The route names the schedule '{MissingSchedule}', which is not defined.")
            : null;
    }

    internal static async ValueTask<RouteReferences> FetchAsync(UnitOfWork work, RouteSettings settings, CancellationToken ct)
    {
        string?[] named = [settings.ActiveDialplan, settings.OffHoursDialplan, settings.FailSafeDialplan, settings.GuestDialplan];
        foreach (var plan in named.OfType<string>().Distinct(StringComparer.Ordinal))
        {
            if (!Valid.Id(plan) || (await work.FetchAsync<Dialplan>(Streams.Dialplan(plan), ct).ConfigureAwait(false)).Usable is null)
            {
                return new(plan, null);
            }
        }

        var scheduleMissing = settings.ScheduleId is { } id
            && (!Valid.Id(id) || (await work.FetchAsync<Schedule>(Streams.Schedule(id), ct).ConfigureAwait(false)).Defined is null);
        return new(null, scheduleMissing ? settings.ScheduleId : null);
    }
}
