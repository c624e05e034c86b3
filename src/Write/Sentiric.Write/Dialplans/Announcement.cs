using Sentiric.Contracts.Events;
using Sentiric.Contracts.Text;

namespace Sentiric.Write.Dialplans;

/// <summary>Stream <c>announcement-{id}</c>. An id of <see cref="BuiltInAnnouncements"/> overrides that text for the tenant.</summary>
public sealed record Announcement(AnnouncementDefined? Defined) : IState<Announcement>
{
    public static Announcement Initial { get; } = new(Defined: null);

    public Announcement Evolve(IFact fact) => fact is AnnouncementDefined defined ? new(defined) : this;
}
