using System.Text.Json;
using System.Text.Json.Serialization;
using Sentiric.EventStore;

namespace Sentiric.Benchmarks.Events;

/// <summary>The fact that is stored: as large as a usual one of a call, a little over 200 bytes of JSON.</summary>
public sealed record TurnNote(DateTimeOffset At, string Speaker, string Text, int Turn, double Confidence, string Language, string Engine);

/// <summary>What a call's turns fold to.</summary>
public sealed record CallView(int Turns, string LastText, double LeastConfidence)
{
    public static CallView Empty { get; } = new(0, "", 1);

    public CallView With(TurnNote note) => new(Turns + 1, note.Text, Math.Min(LeastConfidence, note.Confidence));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(TurnNote))]
[JsonSerializable(typeof(CallView))]
public sealed partial class NotesJson : JsonSerializerContext;

public static class Notes
{
    public const string StoredName = "turn_note";
    public const string Tenant = "bench";
    private static readonly DateTimeOffset Start = new(2026, 1, 5, 9, 0, 0, TimeSpan.Zero);

    public static IEventSerializer Serializer { get; } = new EventTypeMap([EventTypeEntry.Of(StoredName, NotesJson.Default.TurnNote)]);

    public static TurnNote Make(int turn) => new(
        Start.AddSeconds(turn), turn % 2 == 0 ? "caller" : "agent", "yarın saat on dörtte Doktor Ayşe Hanım'dan randevu almak istiyorum",
        turn, 0.93, "tr", "ctc/sentiric-ctc-tr-8k");

    public static byte[] Json(TurnNote note) => JsonSerializer.SerializeToUtf8Bytes(note, NotesJson.Default.TurnNote);
}
