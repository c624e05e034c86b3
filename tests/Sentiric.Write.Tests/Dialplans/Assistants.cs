using Sentiric.Contracts.Events;

namespace Sentiric.Write.Tests.Dialplans;

internal static class Assistants
{
    public static AssistantDefinition WithoutTasks { get; } = new("Clinic", "tr", "Merhaba.", "", [], UseKnowledge: true, []);

    public static AssistantTask Booking { get; } = new(
        "book_appointment", ["randevu almak istiyorum"],
        [new("day", "day", "Hangi gün?", []), new("doctor", "choice", "Hangi doktor?", ["ayşe", "ali"])],
        "takvim", "book", "{day} günü için alındı.", "{why}", "{day} günü, {doctor}; doğru mu?");

    public static AssistantDefinition With(AssistantTask task) => WithoutTasks with { Tasks = [task] };
}
