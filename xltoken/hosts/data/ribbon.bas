Option Explicit

' What the buttons of the tab xltoken do. Python is reached through XltPython alone; what a command
' prints is shown on a sheet of a new workbook, a line a row.

Private Const CAPTION As String = "xltoken"
Private Const COMMANDS As String = "xltoken.hosts.commands"
Private Const NO_MAC As String = "xltoken's functions need Excel on Windows. On a Mac use xlwings Lite, or recalculate the workbook in a terminal: xltoken recalc FILE"
Private Const NO_BOOK As String = "There is no workbook to work on. Open one; if it is in Protected View, click Enable Editing first."
Private Const MOST_TEXT As Long = 900    ' a message box shows about a thousand characters

' --- the buttons ----------------------------------------------------------------------------------

Public Sub XltInsertFunction(control As IRibbonControl)
    If XltOnMac() Then Exit Sub
    On Error GoTo failed
    If ActiveCell Is Nothing Then
        XltTell "Select a cell of a worksheet first: the function goes there.", vbExclamation
        Exit Sub
    End If
    Application.Dialogs(xlDialogFunctionWizard).Show
    Exit Sub
failed:
    XltTell "Excel did not open its function wizard (" & Err.Description & "). Select one cell that may be changed, or type =TOKEN_COST( and press Ctrl+A.", vbExclamation
End Sub

Public Sub XltNewTemplate(control As IRibbonControl)
    Dim chosen As Variant, told As Variant, words As Variant, path As String
    If XltOnMac() Then Exit Sub
    On Error GoTo failed
    chosen = Application.GetSaveAsFilename(InitialFileName:=control.Tag, FileFilter:="Workbook for this add-in (*.xlsx),*.xlsx,Workbook that carries the functions (*.xlsm),*.xlsm", Title:="Save the new workbook as")
    If VarType(chosen) = vbBoolean Then Exit Sub
    path = CStr(chosen)
    If InStr(path, "://") > 0 Then
        XltTell "A new workbook is made in a folder of this computer; choose one, and move the workbook afterwards.", vbExclamation
        Exit Sub
    End If
    If XltIsOpen(path) Then
        XltTell "A workbook of that name is open. Close it first, or choose another name.", vbExclamation
        Exit Sub
    End If
    words = Array("new", control.Tag, "-o", path, "--host", "excel")
    If XltFiles().FileExists(path) Then
        If MsgBox(path & " stands there already. Replace it?", vbYesNo + vbQuestion + vbDefaultButton2, CAPTION) <> vbYes Then Exit Sub
        words = Array("new", control.Tag, "-o", path, "--host", "excel", "--force")
    End If
    told = XltRun("making " & path, words)
    If XltExitCode(told) = 0 Then
        Workbooks.Open path
        ' What was printed after the first line are warnings about the evidence.
        If UBound(told, 1) > LBound(told, 1) + 1 Then XltTell "The workbook was made, with warnings:" & vbLf & XltJoined(told), vbInformation
    Else
        XltTell "The workbook was not made. " & XltJoined(told), vbExclamation
    End If
    Exit Sub
failed:
    XltTell "The workbook was not made or could not be opened: " & Err.Description, vbExclamation
End Sub

Public Sub XltRecalculate(control As IRibbonControl)
    If XltOnMac() Then Exit Sub
    On Error GoTo failed
    XltRetry
    If Not XltReachable() Then    ' good saved values would become errors
        XltTell "Nothing was recalculated. " & XltLastMessage(), vbExclamation
        Exit Sub
    End If
    Application.CalculateFullRebuild
    Exit Sub
failed:
    XltTell "Excel did not recalculate (" & Err.Description & "). Finish what is being typed, then press the button again.", vbExclamation
End Sub

Public Sub XltCheck(control As IRibbonControl)
    Dim book As Workbook, folder As String, copied As String, reason As String, told As Variant
    If XltOnMac() Then Exit Sub
    On Error GoTo failed
    Set book = ActiveWorkbook
    If book Is Nothing Then
        XltTell NO_BOOK, vbExclamation
        Exit Sub
    End If
    copied = XltCopyName(book)
    If Len(copied) = 0 Then
        XltTell "Only .xlsx and .xlsm can be checked. Save a copy of " & book.Name & " as one of them, then press the button again.", vbExclamation
        Exit Sub
    End If
    ' A copy: it has what was not saved yet, and the workbook itself is not touched.
    folder = XltNewFolder()
    book.SaveCopyAs folder & copied
    told = XltRun("checking " & book.Name, Array("check", folder & copied))
    XltDelete folder
    XltShow told, folder
    Exit Sub
failed:
    reason = Err.Description
    XltDelete folder
    XltTell "The workbook was not checked: " & reason, vbExclamation
End Sub

Public Sub XltShowLastError(control As IRibbonControl)
    Dim told As String, place As String
    If XltOnMac() Then Exit Sub
    On Error GoTo failed
    place = XltAsked()
    If Len(place) > 0 Then told = XltKept(place)
    If Len(told) > 0 Then
        XltTell place & vbLf & vbLf & told, vbInformation
        Exit Sub
    End If
    told = XltLastMessage()
    If Len(told) > 0 Then
        XltTell "The active cell has no message. The last error of all:" & vbLf & vbLf & told, vbInformation
    Else
        XltTell "No error so far. Messages are kept from when Excel started; recalculate to see those of a workbook that was saved with errors.", vbInformation
    End If
    Exit Sub
failed:
    XltTell "The messages cannot be read: " & Err.Description, vbExclamation
End Sub

Public Sub XltShowHelp(control As IRibbonControl)
    If XltOnMac() Then Exit Sub
    On Error GoTo failed
    XltShow XltAnswer("looking it up", "reference", Array(XltFormula())), ""
    Exit Sub
failed:
    XltTell "The reference cannot be shown: " & Err.Description, vbExclamation
End Sub

Public Sub XltShowAbout(control As IRibbonControl)
    Dim told As Variant, text As String, i As Long
    If XltOnMac() Then Exit Sub
    On Error GoTo failed
    told = XltAnswer("asking Python", "about", Array())
    For i = LBound(told, 1) To UBound(told, 1)
        text = text & told(i, LBound(told, 2)) & vbLf
    Next i
    XltTell text & "Excel " & Application.Version & ", add-in: " & ThisWorkbook.FullName, vbInformation
    Exit Sub
failed:
    XltTell Err.Description & vbLf & "Excel " & Application.Version & ", add-in: " & ThisWorkbook.FullName, vbExclamation
End Sub

' --- commands -------------------------------------------------------------------------------------

Private Function XltRun(ByVal doing As String, ByVal words As Variant) As Variant
    ' The exit code in the first row, then what was printed.
    XltRun = XltAnswer(doing, "run", words)
End Function

Private Function XltAnswer(ByVal doing As String, ByVal procedure As String, ByVal given As Variant) As Variant
    Dim number As Long, reason As String
    On Error GoTo failed
    Application.DisplayAlerts = False    ' Excel would ask again and again whether to wait
    Application.Cursor = xlWait
    Application.StatusBar = "xltoken: " & doing
    XltAnswer = XltPython(COMMANDS, procedure, given)
    XltAtRest
    Exit Function
failed:
    number = Err.Number
    reason = Err.Description
    XltAtRest
    Err.Raise number, CAPTION, reason
End Function

Private Sub XltAtRest()
    On Error Resume Next
    Application.DisplayAlerts = True
    Application.StatusBar = False
    Application.Cursor = xlDefault
End Sub

Private Function XltExitCode(ByVal told As Variant) As Long
    XltExitCode = CLng(told(LBound(told, 1), LBound(told, 2)))
End Function

Private Function XltJoined(ByVal told As Variant) As String
    Dim i As Long
    For i = LBound(told, 1) + 1 To UBound(told, 1)
        XltJoined = XltJoined & vbLf & told(i, LBound(told, 2))
    Next i
End Function

Private Sub XltShow(ByVal told As Variant, ByVal folder As String)
    ' The name of a copy's folder says nothing to a reader; it is left out.
    Dim lines() As Variant, sheet As Worksheet, i As Long, n As Long, first As Long
    first = LBound(told, 1)
    n = UBound(told, 1) - first
    ReDim lines(1 To n, 1 To 1)
    For i = 1 To n
        lines(i, 1) = CStr(told(first + i, LBound(told, 2)))
        If Len(folder) > 0 Then lines(i, 1) = Replace(lines(i, 1), folder, "")
    Next i
    Set sheet = Workbooks.Add(xlWBATWorksheet).Worksheets(1)
    With sheet.Columns(1)
        .NumberFormat = "@"    ' a line that begins like a formula stays a text
        .Font.Name = "Consolas"
        .Font.Size = 10
        .ColumnWidth = 160
        .WrapText = True
    End With
    sheet.Range("A1").Resize(n, 1).Value = lines
    sheet.Parent.Saved = True    ' nothing is lost where it is closed unsaved
End Sub

' --- what is active -------------------------------------------------------------------------------

Private Function XltAsked() As String
    ' Address of the cell that holds the formula behind the active cell: messages are kept under it.
    ' Another formula may stand there by now; then the message is not its.
    Dim cell As Object
    If ActiveCell Is Nothing Then Exit Function
    Set cell = ActiveCell
    On Error Resume Next    ' Excel before 2021 knows no spill
    If cell.HasSpill Then Set cell = cell.SpillParent
    If cell.HasArray Then Set cell = cell.CurrentArray
    On Error GoTo 0
    Set cell = cell.Cells(1, 1)
    If XltIsOurs(cell.Formula) Then XltAsked = cell.Address(External:=True)
End Function

Private Function XltKept(ByVal place As String) As String
    ' A workbook that carries the functions keeps the messages of its cells itself; any other has no
    ' such macro.
    XltKept = XltMessageOf(place)
    If Len(XltKept) > 0 Then Exit Function
    On Error Resume Next
    XltKept = Application.Run("'" & Replace(ActiveWorkbook.Name, "'", "''") & "'!XltMessageOf", place)
End Function

Private Function XltFormula() As String
    If ActiveCell Is Nothing Then Exit Function
    If ActiveCell.HasFormula Then XltFormula = ActiveCell.Formula
End Function

Private Function XltIsOpen(ByVal path As String) As Boolean
    ' Excel opens no second workbook of a name, wherever it stands.
    Dim book As Workbook
    For Each book In Workbooks
        If StrComp(book.Name, Mid$(path, InStrRev(path, "\") + 1), vbTextCompare) = 0 Then XltIsOpen = True
    Next book
End Function

' --- files ----------------------------------------------------------------------------------------

Private Function XltCopyName(ByVal book As Workbook) As String
    ' Name of a copy, which keeps the format of the workbook; no name where that cannot be read.
    Dim stem As String
    stem = book.Name
    If InStrRev(stem, ".") > 1 Then stem = Left$(stem, InStrRev(stem, ".") - 1)
    Select Case book.FileFormat
        Case xlOpenXMLWorkbook, 61    ' 61: strict, a constant that Excel 2010 does not know
            XltCopyName = stem & ".xlsx"
        Case xlOpenXMLWorkbookMacroEnabled
            XltCopyName = stem & ".xlsm"
    End Select
End Function

Private Function XltNewFolder() As String
    Dim path As String
    path = XltFiles().BuildPath(XltFiles().GetSpecialFolder(2).Path, "xltoken_" & XltFiles().GetTempName())
    XltFiles().CreateFolder path
    XltNewFolder = path & "\"
End Function

Private Sub XltDelete(ByVal folder As String)
    On Error Resume Next    ' what cannot be deleted stays in the folder of temporary files
    If Len(folder) > 0 Then XltFiles().DeleteFolder Left$(folder, Len(folder) - 1), True
End Sub

Private Function XltFiles() As Object
    ' VBA's own statements for files know the letters of one code page only.
    Set XltFiles = CreateObject("Scripting.FileSystemObject")
End Function

' --- messages -------------------------------------------------------------------------------------

Private Function XltOnMac() As Boolean
#If Mac Then
    XltTell NO_MAC, vbExclamation
    XltOnMac = True
#End If
End Function

Private Sub XltTell(ByVal text As String, ByVal kind As Long)
    If Len(text) > MOST_TEXT Then text = Left$(text, MOST_TEXT) & " ..."
    MsgBox text, kind, CAPTION
End Sub
