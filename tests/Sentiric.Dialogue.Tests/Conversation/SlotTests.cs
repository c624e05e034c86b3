using Sentiric.Contracts.Events;
using Xunit;

namespace Sentiric.Dialogue.Tests;

public sealed class SlotTests
{
    private static readonly DateOnly Today = new(2026, 11, 17);

    [Theory]
    [InlineData("salı", "salı")]
    [InlineData("salıya", "salı")]
    [InlineData("salı günü", "salı")]
    [InlineData("SALI GÜNÜ", "salı")]
    [InlineData("pazartesiye alalım", "pazartesi")]
    [InlineData("pazara", "pazar")]
    [InlineData("cumartesi", "cumartesi")]
    [InlineData("cumaya", "cuma")]
    [InlineData("çarşambayı istiyorum", "çarşamba")]
    [InlineData("persembe gunu", "perşembe")]
    [InlineData("bugün", "bugün")]
    [InlineData("yarına", "yarın")]
    [InlineData("öbür gün", "2026-11-19")]
    [InlineData("on beş kasım", "2027-11-15")]
    [InlineData("yirmi üç kasımda", "2026-11-23")]
    [InlineData("3 aralık", "2026-12-03")]
    [InlineData("salı değil çarşamba", "çarşamba")]
    [InlineData("on tuesday", "tuesday")]
    [InlineData("december 3", "2026-12-03")]
    [InlineData("2026-12-24", "2026-12-24")]
    [InlineData("salih bey", null)]
    [InlineData("otuz şubat", null)]
    [InlineData("randevu", null)]
    public void Days_are_found_in_all_their_cases(string words, string? day) => Assert.Equal(day, Find("day", words));

    [Theory]
    [InlineData("saat onda", "10:00")]
    [InlineData("onda", "10:00")]
    [InlineData("saat on", "10:00")]
    [InlineData("on buçukta", "10:30")]
    [InlineData("saat on buçuk", "10:30")]
    [InlineData("14.30'da", "14:30")]
    [InlineData("14:30", "14:30")]
    [InlineData("9.15", "09:15")]
    [InlineData("öğleden sonra üçte", "15:00")]
    [InlineData("sabah dokuzda", "09:00")]
    [InlineData("akşam yedide", "19:00")]
    [InlineData("saat üçte", "15:00")]
    [InlineData("saat on beşte", "15:00")]
    [InlineData("on bir buçukta", "11:30")]
    [InlineData("saat dokuz kırk beşte", "09:45")]
    [InlineData("ona çeyrek kala", "09:45")]
    [InlineData("onu çeyrek geçe", "10:15")]
    [InlineData("dörtte", "16:00")]
    [InlineData("dörde beş var", "15:55")]
    [InlineData("saat on altıda", "16:00")]
    [InlineData("at ten", "10:00")]
    [InlineData("half past ten", "10:30")]
    [InlineData("3 pm", "15:00")]
    [InlineData("quarter to nine", "08:45")]
    [InlineData("bir randevu istiyorum", null)]
    [InlineData("saat yirmi beşte", null)]
    [InlineData("çalışma saatleriniz nedir", null)]
    public void Times_are_found_in_a_sentence(string words, string? time) => Assert.Equal(time, Find("time", words));

    [Theory]
    [InlineData("on", "10:00")]
    [InlineData("on buçuk", "10:30")]
    [InlineData("üç", "15:00")]
    public void A_bare_number_is_a_time_when_one_was_asked_for(string words, string time) => Assert.Equal(time, Find("time", words, asked: true));

    [Theory]
    [InlineData("beş üç iki", "532")]
    [InlineData("beş yüz otuz iki", "532")]
    [InlineData("sıfır beş yüz otuz iki yüz on iki", "0532112")]
    [InlineData("532 11 22", "5321122")]
    [InlineData("numaram yirmi üç", "23")]
    [InlineData("bin dokuz yüz doksan dokuz", "1999")]
    public void Digits_are_read_one_by_one_and_in_groups(string words, string number) => Assert.Equal(number, Find("number", words, asked: true));

    [Theory]
    [InlineData("ayşe yılmaz", "Ayşe Yılmaz")]
    [InlineData("adım ibrahim kaya", "İbrahim Kaya")]
    [InlineData("benim adım zeynep", "Zeynep")]
    [InlineData("mehmet kaya adına", "Mehmet Kaya")]
    [InlineData("evet", null)]
    [InlineData("bir iki üç dört beş altı", null)]
    public void Names_lose_what_is_around_them(string words, string? name) => Assert.Equal(name, Find("name", words, asked: true));

    [Fact]
    public void An_English_name_keeps_its_plain_capital() =>
        Assert.Equal("Isaac", SlotParser.Find(new("x", "name", "", []), Words.Of("isaac"), true, Today, "en")?.Value);

    [Theory]
    [InlineData("kadıköy şubesi", "Kadıköy")]
    [InlineData("kadıköye gelirim", "Kadıköy")]
    [InlineData("üsküdar", "Üsküdar")]
    [InlineData("ankara", null)]
    public void A_choice_is_one_of_the_list(string words, string? choice) =>
        Assert.Equal(choice, SlotParser.Find(new("x", "choice", "", ["Kadıköy", "Üsküdar"]), Words.Of(words), true, Today, "tr")?.Value);

    [Fact]
    public void A_date_is_no_time() => Assert.Equal("10:00", Find("time", "yirmi üç kasım saat onda"));

    private static string? Find(string kind, string words, bool asked = false) =>
        SlotParser.Find(new AssistantSlot("x", kind, "", []), Words.Of(words), asked, Today, "tr")?.Value;
}
