"""Every figure of the source documents has a row of the catalogue, with its names, its unit of measure its parts."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from schemas.indicators import CATALOGUE, find
from schemas.indicators.label_texts import MEASURED
from schemas.indicators.programmes import PROGRAMMES, SHARE, WHOLE
from services.simulator import november_2024

TABLES = Path(november_2024.__file__).parent / "tables"
STATED = ("programme_figures", "document_figures")
UNITS = {"percent": "%"}

DOCUMENTS: dict[str, str] = {
    "số hóa cấp tỉnh 98,05 %": "digitisation_province",
    "số hóa cấp huyện 22,69 %": "digitisation_district",
    "số hóa cấp xã 63,80 %": "digitisation_commune",
    "21 TTHC đơn giản hóa": "simplification_procedures",
    "cắt giảm 5.052,5 ngày": "simplification_days",
    "trên 26.914,5 ngày": "simplification_days_whole",
    "146 đơn vị ban hành kế hoạch": "project_06_plans_issued",
    "trên 148 đơn vị": "project_06_plans_issued_whole",
    "185.642 bản sao điện tử": "certified_copies_issued",
    "122/122 đơn vị chứng thực": "certified_copies_units_pct",
    "1.769 dịch vụ công": "portal_services_connected",
    "1.441 dịch vụ công trực tuyến": "portal_services_online",
    "cung cấp 80,26 %": "portal_offered",
    "điểm DTI của đơn vị": "dti_points",
    "mức DTI của đơn vị": "dti_level",
    "hạng DTI của đơn vị": "dti_rank",
    "xếp hạng dịch vụ công trực tuyến của đơn vị": "online_services_rank",
    "dữ liệu dân cư làm sạch": "project_06_residents_cleaned",
    "dữ liệu hộ tịch": "project_06_civil_status_digitised",
    "6.530 tài khoản mới": "portal_accounts_new",
    "mức của Cổng": "portal_grade",
    "hạng của Cổng": "portal_rank",
    "76/76 dịch vụ công thiết yếu": "project_06_essential_services",
    "843/843 băng rộng": "coverage_broadband_villages",
    "843/843 sóng di động": "coverage_mobile_villages",
    "lớp tập huấn": "training_courses",
    "người được tập huấn": "training_people",
    "tin bài": "publicity_news_items",
    "đội thanh niên": "digital_teams_youth_teams",
    "SIM chính chủ": "people_with_sim",
    "điện thoại thông minh": "people_with_smartphone",
    "GRDP": "grdp",
    "tốc độ tăng GRDP": "grdp_growth",
    "IIP": "industrial_index",
    "thu nhập bình quân đầu người": "income_per_head",
}
"""What the documents print, listed by hand -> the indicator that it is read by."""


def rows(name: str) -> list[dict[str, str]]:
    with (TABLES / f"{name}.csv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize("printed", DOCUMENTS)
def test_every_figure_of_the_documents_has_a_row(printed: str) -> None:
    indicator = CATALOGUE[DOCUMENTS[printed]]
    assert indicator.vi and indicator.en and indicator.vi != indicator.en
    assert indicator.unit in MEASURED or indicator.unit in ("%", "VND")


@pytest.mark.parametrize("name", STATED)
def test_every_row_of_the_tables_is_read_in_its_unit_with_its_whole(name: str) -> None:
    for row in rows(name):
        indicator = find(f"{row['programme']}_{row['indicator_code']}")[0]
        code = indicator.code
        assert indicator.unit == UNITS.get(row["unit"], row["unit"]), code
        assert (code + WHOLE in CATALOGUE) == (code + SHARE in CATALOGUE) == bool(row["total"]), code
        for end, printed in (("", row["value"]), (WHOLE, row["total"])):
            if printed:
                assert -Decimal(printed).normalize().as_tuple().exponent <= CATALOGUE[code + end].decimals, code


def test_no_code_is_of_two_systems() -> None:
    codes = [row.code for system in PROGRAMMES.values() for row in system]
    assert len(codes) == len(set(codes))
    assert all(CATALOGUE[row.code].system == system for system, rows in PROGRAMMES.items() for row in rows)
