using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;
using Sentiric.EventStore;
using Sentiric.Read.Http;

namespace Sentiric.Read.Calls;

/// <summary>Who said what, and what each turn took: of calls and chats.</summary>
public sealed class Transcripts : ITableProjection, IStreamRows
{
    private const string Lines = "read_transcript_line";
    private const string Turns = "read_turn";

    public string Name => "Transcripts";

    public int Version => 1;

    public IReadOnlyList<string> Tables { get; } = [Lines, Turns];

    public string SchemaSql(string suffix) => $"""
        create table if not exists {Lines}{suffix} (
            call_id     uuid             not null,
            version     bigint           not null,
            tenant      text             not null,
            turn        integer          not null,
            speaker     text             not null,
            said        text             not null,
            confidence  double precision not null,
            offset_ms   bigint           not null,
            duration_ms bigint           not null,
            kind        text,
            full_text   text,
            constraint pkey_{Lines}{suffix} primary key (call_id, version)
        );
        create table if not exists {Turns}{suffix} (
            call_id          uuid             not null,
            turn             integer          not null,
            tenant           text             not null,
            heard            text             not null,
            answered         text             not null,
            confidence       double precision not null,
            end_of_speech_ms bigint           not null,
            recognize_ms     bigint           not null,
            think_ms         bigint           not null,
            speak_ms         bigint           not null,
            total_ms         bigint           not null,
            constraint pkey_{Turns}{suffix} primary key (call_id, turn)
        );
        """;

    public IReadOnlyCollection<string> EventTypes { get; } = ConversationEvents.Named(typeof(TranscriptFinal), typeof(DialogTurnCompleted));

    public void DeleteStream(IProjectionWriter writer, string tenant, string streamId) => ConversationEvents.Delete(writer, streamId, Lines, Turns);

    public ValueTask ApplyAsync(IProjectionWriter writer, IReadOnlyList<RecordedEvent> batch, CancellationToken ct)
    {
        var (lines, turns) = (writer.Rows(Lines, "call_id", "version"), writer.Rows(Turns, "call_id", "turn"));
        ConversationEvents.Each(writer, batch, (callId, recorded, @event) => Apply(lines, turns, callId, recorded, @event));
        return ValueTask.CompletedTask;
    }

    private static void Apply(IRowBatch lines, IRowBatch turns, Guid callId, RecordedEvent recorded, object @event)
    {
        switch (@event)
        {
            case TranscriptFinal e:
                lines.Insert(
                    [callId, recorded.Version], ("tenant", recorded.Tenant), ("turn", e.Turn), ("speaker", StableName.Of(e.Speaker)), ("said", e.Text),
                    ("confidence", e.Confidence), ("offset_ms", e.OffsetMs), ("duration_ms", e.DurationMs),
                    ("kind", e.Kind is { } kind ? StableName.Of(kind) : null), ("full_text", e.FullText));
                break;
            case DialogTurnCompleted e:
                turns.Insert(
                    [callId, e.Turn], ("tenant", recorded.Tenant), ("heard", e.Heard), ("answered", e.Answered), ("confidence", e.Confidence),
                    ("end_of_speech_ms", e.Latency.EndOfSpeechMs), ("recognize_ms", e.Latency.RecognizeMs), ("think_ms", e.Latency.ThinkMs),
                    ("speak_ms", e.Latency.SpeakMs), ("total_ms", e.Latency.TotalMs));
                break;
        }
    }

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/calls/{callId:guid}/transcript", (HttpContext http, Tables tables, Guid callId, CancellationToken ct) =>
                ReadHttp.ForTenantAsync(http, async tenant => ReadHttp.Json(await LinesAsync(tables, tenant, callId, ct))))
            .WithTags("calls").WithName("GetTranscript").Produces<IReadOnlyList<TranscriptLine>>().WithSummary("The transcript of a call or chat, in order.");

    public static Task<IReadOnlyList<TranscriptLine>> LinesAsync(Tables tables, string tenant, Guid callId, CancellationToken ct) => tables.QueryAsync(
        $"""
        select turn, speaker, said, confidence, offset_ms, duration_ms, kind, full_text from {Lines}
        where tenant = $1 and call_id = $2 order by offset_ms, version
        """,
        row =>
        {
            var c = new RowReader(row);
            return new TranscriptLine(
                c.Int(), StableName.Parse<Speaker>(c.Text()), c.Text(), c.Double(), c.Long(), c.Long(),
                c.TextOrNull() is { } kind ? StableName.Parse<UtteranceKind>(kind) : null, c.TextOrNull());
        }, ct, tenant, callId);

    public static Task<IReadOnlyList<TurnRow>> TurnsAsync(Tables tables, string tenant, Guid callId, CancellationToken ct) => tables.QueryAsync(
        $"""
        select turn, heard, answered, confidence, end_of_speech_ms, recognize_ms, think_ms, speak_ms, total_ms from {Turns}
        where tenant = $1 and call_id = $2 order by turn
        """,
        row =>
        {
            var c = new RowReader(row);
            return new TurnRow(c.Int(), c.Text(), c.Text(), c.Double(), new(c.Long(), c.Long(), c.Long(), c.Long(), c.Long()));
        }, ct, tenant, callId);
}
