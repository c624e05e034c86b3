using Sentiric.Contracts;
using Sentiric.Contracts.Services;
using Sentiric.Media;

namespace Sentiric.Calls.Media;

/// <summary>Music for those who wait.</summary>
public sealed partial class MediaSessions
{
    private readonly Lock _waiting = new(); // guards Music of every leg

    public ValueTask<Result<Done>> MusicAsync(string sessionId, bool on, CancellationToken ct) => On(sessionId, leg =>
    {
        var piece = music?.For(leg.Tenant) ?? default;
        lock (_waiting)
        {
            leg.Music?.Dispose();
            leg.Music = on && !piece.IsEmpty ? leg.Session.Stack(new MusicStage(piece)) : null;
        }
    });

    private static void Part(Leg leg)
    {
        if (leg.Partner is { } partner)
        {
            (leg.Partner, partner.Partner) = (null, null);
        }
    }
}
