using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Http;

namespace Sentiric.Write.Dialplans;

/// <summary>PUT /announcements/{id}. Words by language; an id of the built-in ones overrides those.</summary>
public sealed record DefineAnnouncement(string AnnouncementId, IReadOnlyDictionary<string, string> Texts) : ICommand
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPut("/announcements/{id}", (string id, HttpContext http, CommandRunner runner, CancellationToken ct) =>
            http.CommandAsync<DefineAnnouncementBody>(runner, body => new DefineAnnouncement(id, body.Texts), ct))
            .Describe<DefineAnnouncementBody>("DefineAnnouncement", "dialplans");

    public Decision Decide(Announcement announcement, DateTimeOffset now)
    {
        if (!Valid.Id(AnnouncementId) || Texts.Count == 0 || !Texts.All(t => Valid.Language(t.Key) && Valid.Text(t.Value)))
        {
            return new Refusal("announcement.invalid",
                "An announcement needs an id of lower-case letters, digits, dashes and underscores, and "
                + $"words for 'tr' or 'en' of at most {Valid.MaxText} characters.");
        }

        var defined = new AnnouncementDefined(now, AnnouncementId, Texts);
        return announcement.Defined is { } earlier && Valid.Same(earlier with { At = now }, defined) ? Decision.Quiet : Decision.Of(defined);
    }

    public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct) =>
        runner.RunAsync(who, async (work, token) =>
        {
            var announcement = await work.FetchAsync<Announcement>(Streams.Announcement(AnnouncementId), token).ConfigureAwait(false);
            return work.Append(Streams.Announcement(AnnouncementId), Decide(announcement, work.Now));
        }, ct);
}

public sealed record DefineAnnouncementBody(IReadOnlyDictionary<string, string> Texts);
